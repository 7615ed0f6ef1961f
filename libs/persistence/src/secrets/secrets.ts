import { z } from 'zod';
import { timeColumn } from '../columns';
import type { Session } from '../database';
import { prepared } from '../statements';

const PUT = prepared('put-secret');
const LIST = prepared('list-secrets');
const FIND = prepared('find-secrets');
const DELETE = prepared('delete-secret');
const LOCK = prepared('lock-secrets');
const RESEAL = prepared('reseal-secrets');

/** A secret without its value. */
export interface StoredSecret {
  readonly name: string;
  /** Which key it is sealed with. */
  readonly keyId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A value that only the holder of a key can read. */
export interface SealedSecret {
  readonly name: string;
  readonly keyId: string;
  readonly sealed: Buffer;
}

const storedSchema = z
  .object({ name: z.string(), key_id: z.string(), created_at: timeColumn, updated_at: timeColumn })
  .transform((row) => ({
    name: row.name,
    keyId: row.key_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
const createdSchema = z.object({ created: z.boolean() });
const sealedSchema = z
  .object({ name: z.string(), key_id: z.string(), sealed: z.instanceof(Buffer) })
  .transform(({ name, key_id: keyId, sealed }) => ({ name, keyId, sealed }));

/** Stores a secret, in place of one of its name; `created` is false when there was one. */
export async function putSecret(
  session: Session,
  { name, keyId, sealed }: SealedSecret,
): Promise<{ secret: StoredSecret; created: boolean }> {
  const [row] = await session.query(PUT, [name, keyId, sealed]);
  return { secret: storedSchema.parse(row), created: createdSchema.parse(row).created };
}

/** All secrets, by name. */
export async function listSecrets(session: Session): Promise<StoredSecret[]> {
  return (await session.query(LIST)).map((row) => storedSchema.parse(row));
}

/** The secrets of these names, as far as there are such. */
export async function findSecrets(session: Session, names: readonly string[]): Promise<SealedSecret[]> {
  return (await session.query(FIND, [names])).map((row) => sealedSchema.parse(row));
}

/** False when there is no secret of this name. */
export async function deleteSecret(session: Session, name: string): Promise<boolean> {
  return (await session.query(DELETE, [name])).length > 0;
}

/** Secrets that are sealed with other keys than this one; within a transaction nobody changes them until its end. */
export async function lockSecretsOfOtherKeys(session: Session, keyId: string): Promise<SealedSecret[]> {
  return (await session.query(LOCK, [keyId])).map((row) => sealedSchema.parse(row));
}

/** Replaces what is sealed; the values are the same. */
export async function resealSecrets(
  session: Session,
  keyId: string,
  secrets: readonly { name: string; sealed: Buffer }[],
): Promise<void> {
  await session.query(RESEAL, [keyId, secrets.map(({ name }) => name), secrets.map(({ sealed }) => sealed)]);
}
