import { IsNull } from 'typeorm';
import { z } from 'zod';
import { timeColumn } from '../columns';
import type { Database } from '../database';
import { ApiKeyEntity } from '../entities/access';
import { prepared } from '../statements';

const FIND_KEY = prepared('find-key');
const TOUCH_KEY = prepared('touch-key');

/** A key of the API, without its secret. */
export interface ApiKey {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const rowSchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: timeColumn,
  last_used_at: timeColumn.nullable(),
  revoked_at: timeColumn.nullable(),
});

/** Stores a key. `hash` is the SHA-256 of the secret in hex; a hash that is stored already is an error. */
export async function insertKey(
  db: Database,
  key: { id: string; name: string; hash: string; scopes: readonly string[] },
): Promise<ApiKey> {
  const keys = db.dataSource.getRepository(ApiKeyEntity);
  await keys.insert({ id: key.id, name: key.name, hash: key.hash, scopes: [...key.scopes] });
  return toKey(await keys.findOneByOrFail({ id: key.id }));
}

/** The key of a secret's hash; undefined when there is none or it is revoked. */
export async function findKeyByHash(db: Database, hash: string): Promise<ApiKey | undefined> {
  const [row] = await db.query(FIND_KEY, [hash]);
  if (row === undefined) return undefined;
  const { id, name, scopes, created_at, last_used_at, revoked_at } = rowSchema.parse(row);
  return { id, name, scopes, createdAt: created_at, lastUsedAt: last_used_at, revokedAt: revoked_at };
}

/** All keys, oldest first, the revoked ones too. */
export async function listKeys(db: Database): Promise<ApiKey[]> {
  const keys = await db.dataSource.getRepository(ApiKeyEntity).find({ order: { createdAt: 'asc', id: 'asc' } });
  return keys.map(toKey);
}

/** Revokes a key for good; false when there is none of this id that was valid. */
export async function revokeKey(db: Database, id: string): Promise<boolean> {
  const keys = db.dataSource.getRepository(ApiKeyEntity);
  const { affected } = await keys.update({ id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
  return affected === 1;
}

/** Notes that a key was used; written once a minute at most. */
export async function touchKey(db: Database, id: string): Promise<void> {
  await db.query(TOUCH_KEY, [id]);
}

function toKey(entity: ApiKeyEntity): ApiKey {
  return {
    id: entity.id,
    name: entity.name,
    scopes: entity.scopes,
    createdAt: entity.createdAt.toISOString(),
    lastUsedAt: entity.lastUsedAt?.toISOString() ?? null,
    revokedAt: entity.revokedAt?.toISOString() ?? null,
  };
}
