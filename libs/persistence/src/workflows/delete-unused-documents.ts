import { z } from 'zod';
import type { Database } from '../database';
import { isLockTimeout } from '../refusals';
import { prepared } from '../statements';

const FIND_UNUSED = prepared('find-unused-documents');
const LOCK_DOCUMENTS = prepared('lock-documents');
const DELETE_DOCUMENTS = prepared('delete-documents');
/** Documents that one look goes through. */
const WINDOW = 1_000;
/** Submissions wait for the lock behind this one, so it is not waited for longer; in ms. */
const LOCK_LIMIT = { text: "set local lock_timeout = '100ms'" };

const foundSchema = z.object({ scanned: z.number(), last_scanned: z.string().nullable(), shas: z.array(z.string()) });

/**
 * Looks through the next documents after a sha and deletes those that no run and no version of a workflow refers to. Returns how many
 * were deleted and where to go on; `next` is undefined at the end. Those that could not be deleted now are found by the next walk.
 */
export async function deleteUnusedDocuments(
  db: Database,
  after = '',
): Promise<{ deleted: number; next: string | undefined }> {
  const [row] = await db.query(FIND_UNUSED, [after, WINDOW]);
  const { scanned, last_scanned: last, shas } = foundSchema.parse(row);
  const deleted = shas.length === 0 ? 0 : await deleteAll(db, shas);
  return { deleted, next: scanned < WINDOW || last === null ? undefined : last };
}

async function deleteAll(db: Database, shas: readonly string[]): Promise<number> {
  try {
    return await db.transaction(async (session) => {
      await session.query(LOCK_LIMIT);
      await session.query(LOCK_DOCUMENTS);
      return (await session.query(DELETE_DOCUMENTS, [shas])).length;
    });
  } catch (error) {
    if (isLockTimeout(error)) return 0;
    throw error;
  }
}
