import { createdKeySchema, keyListSchema, type CreateKey, type CreatedKey, type KeyView } from '@lattice/contracts';
import { fit } from './parse-body';
import { request, type CallOptions, type Connection } from './request';

const PATH = '/v1/keys';

/** The keys of the API; for administrators. Every method may throw ApiError, Unreachable, and the reason of an aborted signal. */
export class Keys {
  constructor(private readonly connection: Connection) {}

  /** All keys without their secrets, the revoked ones too. */
  async list(options: CallOptions = {}): Promise<KeyView[]> {
    const answer = await request(this.connection, { ...options, method: 'GET', path: PATH });
    return fit(keyListSchema, answer, this.connection.url).keys;
  }

  /** Makes a key; `key` of the answer is its secret, which nothing shows again. Not repeated by itself when the answer is lost. */
  async create(key: CreateKey, options: CallOptions = {}): Promise<CreatedKey> {
    const body = { type: 'json', value: key } as const;
    const answer = await request(this.connection, { ...options, method: 'POST', path: PATH, body });
    return fit(createdKeySchema, answer, this.connection.url);
  }

  /** For good; other API processes refuse the key within 5 seconds. */
  async revoke(id: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
  }
}
