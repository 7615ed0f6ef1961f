import { runIdSchema } from '@lattice/contracts';
import { z } from 'zod';
import { timeColumn } from '../columns';
import type { Session } from '../database';
import type { OutputAddress } from '../outputs/outputs';
import { planned, prepared } from '../statements';

const INSERT = prepared('insert-artifacts');
const COMPLETE = prepared('complete-artifacts');
const OF_ATTEMPT = prepared('attempt-artifacts');
const WHOLE = prepared('whole-artifact');
const GRANTED = prepared('is-artifact-granted');
const GET = prepared('get-artifact');
const LIST = planned('list-artifacts');
const JUDGE = prepared('judge-artifacts');
const DOOMED = prepared('doomed-artifacts');
const FORGET = prepared('forget-artifacts');

const LOWEST = '00000000-0000-0000-0000-000000000000';

/** `output`: the output of the task, too large to be kept with others. */
export type ArtifactKind = 'file' | 'output';

/** An artifact that is to be stored. */
export interface NewArtifact {
  /** UUIDv7. */
  readonly id: string;
  readonly kind: ArtifactKind;
  readonly name: string;
  readonly mediaType: string;
  /** Key of its object in the store. */
  readonly object: string;
}

/** An artifact that is whole. */
export interface StoredArtifact extends NewArtifact, OutputAddress {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Identity of the store that has the object. */
  readonly store: string;
  readonly createdAt: string;
}

const rowSchema = z
  .object({
    id: z.string(),
    run_id: z.string(),
    epoch: z.number(),
    task_key: z.string(),
    attempt: z.number(),
    kind: z.enum(['file', 'output']),
    name: z.string(),
    media_type: z.string(),
    size: z.number(),
    sha256: z.string(),
    store: z.string(),
    object: z.string(),
    created_at: timeColumn,
  })
  .transform(({ run_id, task_key, media_type, created_at, ...rest }): StoredArtifact => ({
    ...rest,
    runId: run_id,
    taskKey: task_key,
    mediaType: media_type,
    createdAt: created_at,
  }));

/** Announces artifacts of an attempt, before anything of them is stored; a repeat changes nothing. */
export async function insertArtifacts(
  session: Session,
  { runId, epoch, taskKey, attempt }: OutputAddress,
  store: string,
  artifacts: readonly NewArtifact[],
): Promise<void> {
  const column = (name: keyof NewArtifact): string[] => artifacts.map((one) => one[name]);
  const columns = [column('id'), column('kind'), column('name'), column('mediaType'), column('object')];
  await session.query(INSERT, [runId, epoch, taskKey, attempt, store, ...columns]);
}

/** Tells that artifacts are whole; false when one of them was given up in the meantime. */
export async function completeArtifacts(
  session: Session,
  done: readonly { readonly id: string; readonly size: number; readonly sha256: string }[],
): Promise<boolean> {
  const columns = [done.map(({ id }) => id), done.map(({ size }) => size), done.map(({ sha256 }) => sha256)];
  return (await session.query(COMPLETE, columns)).length === done.length;
}

/** What an attempt has left, by name. */
export async function attemptArtifacts(session: Session, address: OutputAddress): Promise<StoredArtifact[]> {
  const { runId, epoch, taskKey, attempt } = address;
  return (await session.query(OF_ATTEMPT, [runId, epoch, taskKey, attempt])).map((row) => rowSchema.parse(row));
}

/** An artifact of a task that completed with it; undefined when there is none of this id. */
export async function getArtifact(session: Session, id: string): Promise<StoredArtifact | undefined> {
  if (!z.uuid().safeParse(id).success) return undefined;
  const [row] = await session.query(GET, [id]);
  return row === undefined ? undefined : rowSchema.parse(row);
}

/** An artifact by its id, also one whose attempt the history does not know as recorded yet. */
export async function wholeArtifact(session: Session, id: string): Promise<StoredArtifact | undefined> {
  const [row] = await session.query(WHOLE, [id]);
  return row === undefined ? undefined : rowSchema.parse(row);
}

const grantedSchema = z.object({ granted: z.boolean() });

/** Whether a run may be given an artifact: of its own tree of runs, or named by the inputs with which that was begun. */
export async function isArtifactGranted(
  session: Session,
  runId: string,
  artifact: Pick<StoredArtifact, 'id' | 'runId'>,
): Promise<boolean> {
  if (artifact.runId === runId) return true;
  const [row] = await session.query(GRANTED, [runId, artifact.id, artifact.runId]);
  return grantedSchema.parse(row).granted;
}

/** Artifacts of a run, of one task if it is named, in the order in which they were made. */
export async function listArtifacts(
  session: Session,
  filter: { runId: string; taskKey?: string | undefined; after?: string | undefined; limit: number },
): Promise<StoredArtifact[]> {
  if (!runIdSchema.safeParse(filter.runId).success || filter.taskKey?.includes('\0') === true) return [];
  const rows = await session.query(LIST, [filter.runId, filter.taskKey ?? null, filter.after ?? LOWEST, filter.limit]);
  return rows.map((row) => rowSchema.parse(row));
}

/** Decides about artifacts of attempts that may not have been recorded; returns how many were looked at. */
export async function judgeArtifacts(session: Session, limit: number): Promise<number> {
  return (await session.query(JUDGE, [limit])).length;
}

const doomedSchema = z.object({ id: z.string(), object: z.string(), last: z.boolean() });

/** Artifacts of a store that are to go; `last`: their object goes with them. */
export async function doomedArtifacts(
  session: Session,
  store: string,
  limit: number,
): Promise<{ id: string; object: string; last: boolean }[]> {
  return (await session.query(DOOMED, [store, limit])).map((row) => doomedSchema.parse(row));
}

/** Forgets doomed artifacts, whose objects are gone. */
export async function forgetArtifacts(session: Session, ids: readonly string[]): Promise<void> {
  await session.query(FORGET, [ids]);
}
