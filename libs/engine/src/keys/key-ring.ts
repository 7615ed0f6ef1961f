import { randomUUID } from 'node:crypto';
import {
  KEY_SCOPES,
  LatticeError,
  keyViewSchema,
  type CreateKey,
  type CreatedKey,
  type KeyScope,
  type KeyView,
} from '@lattice/contracts';
import { findKeyByHash, insertKey, listKeys, revokeKey, touchKey, type ApiKey } from '@lattice/persistence';
import { z } from 'zod';
import { BoundedCache } from '../cache/bounded-cache';
import type { Engine } from '../context';
import { mayDo, type RouteScope } from './scopes';
import { hashKey, newKey } from './secret';

/** A key is looked up again after so long: a key revoked by another process works so much longer. */
const KNOWN_MS = 5_000;
const KNOWN_KEYS = 10_000;
/** Use of a key is noted at most this often. */
const TOUCH_MS = 60_000;

/** Who makes a request. */
export interface Identity {
  readonly keyId: string;
  readonly keyHash: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
}

const scopesSchema = z.array(z.string()).transform((texts) => KEY_SCOPES.filter((scope) => texts.includes(scope)));

/** The API keys, with those used lately kept in memory: a request must not cost a look at the database each. */
export class KeyRing {
  /** Promises, so that many requests that come together with one key make one query. */
  private readonly known = new BoundedCache<string, Promise<Identity | undefined>>({
    entries: KNOWN_KEYS,
    ttl: KNOWN_MS,
  });

  constructor(private readonly engine: Engine) {}

  /** True when the key was found valid a moment ago; then `find` asks nobody. */
  knows(hash: string): boolean {
    return this.known.get(hash) !== undefined;
  }

  /** Whose secret has this hash; undefined when nobody's, or the key is revoked. */
  async find(hash: string): Promise<Identity | undefined> {
    const known = this.known.get(hash);
    if (known !== undefined) return known;
    const looking = this.look(hash);
    this.known.set(hash, looking);
    try {
      const identity = await looking;
      if (identity === undefined) this.known.delete(hash);
      return identity;
    } catch (error) {
      this.known.delete(hash);
      throw error;
    }
  }

  /** Makes a key. The secret is in the answer and nowhere else. */
  async create(request: CreateKey): Promise<CreatedKey> {
    const secret = newKey();
    const key = await insertKey(this.engine.db, {
      id: randomUUID(),
      name: request.name,
      hash: hashKey(secret),
      scopes: [request.scope],
    });
    return { ...toView(key), key: secret };
  }

  async list(): Promise<KeyView[]> {
    return (await listKeys(this.engine.db)).map(toView);
  }

  /** Revokes a key for good. Throws `not_found`. */
  async revoke(id: string): Promise<void> {
    const valid = z.uuid().safeParse(id).success && (await revokeKey(this.engine.db, id));
    this.known.clear();
    if (!valid) throw new LatticeError('not_found', `There is no key ${id} that could be revoked.`);
  }

  private async look(hash: string): Promise<Identity | undefined> {
    const key = await findKeyByHash(this.engine.db, hash);
    if (key === undefined) return undefined;
    if (key.lastUsedAt === null || Date.parse(key.lastUsedAt) < Date.now() - TOUCH_MS) {
      touchKey(this.engine.db, key.id).catch((error: unknown) => {
        this.engine.log.debug({ err: error, keyId: key.id }, 'the use of a key could not be noted');
      });
    }
    return { keyId: key.id, keyHash: hash, name: key.name, scopes: scopesSchema.parse(key.scopes) };
  }
}

/** True when one of the scopes of the identity allows what needs the scope. */
export function isAllowed(identity: Identity, needed: RouteScope): boolean {
  return identity.scopes.some((scope) => mayDo(scope, needed));
}

function toView(key: ApiKey): KeyView {
  const { id, name, scopes, createdAt, lastUsedAt, revokedAt } = key;
  return keyViewSchema.parse({ id, name, scope: scopes[0], createdAt, lastUsedAt, revokedAt });
}
