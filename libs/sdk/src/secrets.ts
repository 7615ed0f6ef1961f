import {
  rotatedSecretsSchema,
  secretListSchema,
  secretViewSchema,
  type RotatedSecrets,
  type SecretView,
} from '@lattice/contracts';
import { fit } from './parse-body';
import { request, type CallOptions, type Connection } from './request';

const PATH = '/v1/secrets';

/**
 * Secrets of tasks, whose values go in and never come out; all but `list` is for administrators. Every method may throw ApiError,
 * Unreachable, and the reason of an aborted signal.
 */
export class Secrets {
  constructor(private readonly connection: Connection) {}

  /** All secrets by name, without their values. */
  async list(options: CallOptions = {}): Promise<SecretView[]> {
    const answer = await request(this.connection, { ...options, method: 'GET', path: PATH });
    return fit(secretListSchema, answer, this.connection.url).secrets;
  }

  /** Stores a secret, in place of one of this name: 8 characters or more, up to 32 KiB. */
  async set(name: string, value: string, options: CallOptions = {}): Promise<SecretView> {
    const body = { type: 'json', value: { value } } as const;
    const answer = await request(this.connection, { ...options, method: 'PUT', path: pathOf(name), body });
    return fit(secretViewSchema, answer, this.connection.url);
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'DELETE', path: pathOf(name) });
  }

  /** Encrypts all with the first key of the API process, once another was put before the old one. */
  async rotate(options: CallOptions = {}): Promise<RotatedSecrets> {
    const answer = await request(this.connection, { ...options, method: 'POST', path: `${PATH}/rotate` });
    return fit(rotatedSecretsSchema, answer, this.connection.url);
  }
}

function pathOf(name: string): string {
  return `${PATH}/${encodeURIComponent(name)}`;
}
