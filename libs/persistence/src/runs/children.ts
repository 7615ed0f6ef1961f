import {
  taskErrorSchema,
  type OnFailure,
  type RunStatus,
  type TaskError,
  type WorkflowDocument,
} from '@lattice/contracts';
import { z } from 'zod';
import { runStatusColumn } from '../columns';
import type { Database, Session } from '../database';
import { prepared } from '../statements';

const CHILD_SUMMARY = prepared('child-summary');
const CHILD_RESULTS = prepared('child-results');
const INSERT_CHILDREN = prepared('insert-children');
const CONTROL_CHILDREN = prepared('control-children');
const HAS_ACTIVE = prepared('has-active-children');

/** The attempt of a task that started runs of its own. */
export interface Parent {
  readonly runId: string;
  readonly taskKey: string;
  readonly attempt: number;
}

/** What the children of an attempt have come to, and what they take from their parent. */
export interface ChildSummary {
  readonly depth: number;
  readonly priority: number;
  readonly tags: readonly string[];
  /** The first attempt of the task whose children count. */
  readonly since: number;
  /** Children that are there and not to be done again. */
  readonly present: number;
  readonly active: number;
  /** The place behind the last child. With fewer present, some of those before it are to be done again. */
  readonly next: number;
  /** Index of the first child that failed or was cancelled in this attempt. */
  readonly badIndex: number | null;
}

/** How a child ended, or that it has not. */
export interface ChildResult {
  readonly runId: string;
  readonly index: number;
  /** The last attempt that started the child or opened it again. */
  readonly attempt: number;
  readonly status: RunStatus;
  readonly outputs: Record<string, unknown> | null;
  readonly error: TaskError | null;
}

/** Runs to be started by a task; all of one document. */
export interface NewChildren {
  readonly parent: Parent;
  readonly since: number;
  readonly depth: number;
  readonly workflow: string;
  readonly version: number | null;
  readonly documentSha: string;
  readonly document: WorkflowDocument;
  readonly priority: number;
  readonly onFailure: OnFailure;
  readonly tags: readonly string[];
  readonly tasks: readonly string[];
  readonly children: readonly { readonly runId: string; readonly index: number; readonly inputs: unknown }[];
}

const summarySchema = z
  .object({
    depth: z.number(),
    priority: z.number(),
    tags: z.array(z.string()),
    since: z.number(),
    present: z.number(),
    active: z.number(),
    next: z.number(),
    bad_index: z.number().nullable(),
  })
  .transform(({ bad_index, ...rest }): ChildSummary => ({ ...rest, badIndex: bad_index }));

const controlledSchema = z.object({ run_id: z.string(), asked: z.boolean() });
const activeSchema = z.object({ active: z.boolean() });

const resultSchema = z
  .object({
    run_id: z.string(),
    index: z.number(),
    attempt: z.number(),
    status: runStatusColumn,
    outputs: z.string().nullable(),
    error: taskErrorSchema.nullable(),
  })
  .transform(({ run_id, outputs, ...rest }): ChildResult => ({
    ...rest,
    runId: run_id,
    outputs: outputs === null ? null : z.record(z.string(), z.unknown()).parse(JSON.parse(outputs)),
  }));

/** What the children of a task have come to, as an attempt of it sees them; undefined when the parent is gone. */
export async function childSummary(db: Database, parent: Parent): Promise<ChildSummary | undefined> {
  const [row] = await db.query(CHILD_SUMMARY, [parent.runId, parent.taskKey, parent.attempt]);
  return row === undefined ? undefined : summarySchema.parse(row);
}

/** Children of a task with their results, by index from `first` to `last`; `since` as in {@link ChildSummary}. */
export async function childResults(
  db: Database,
  parent: Pick<Parent, 'runId' | 'taskKey'>,
  { since, first, last }: { since: number; first: number; last: number },
): Promise<ChildResult[]> {
  const rows = await db.query(CHILD_RESULTS, [parent.runId, parent.taskKey, since, first, last]);
  return rows.map((row) => resultSchema.parse(row));
}

/** Starts children of an attempt, each index once however often it is asked for. Returns how many are new. */
export async function insertChildren(db: Session, options: NewChildren): Promise<number> {
  const { parent, document, children, tasks } = options;
  const rows = await db.query(INSERT_CHILDREN, [
    parent.runId,
    parent.taskKey,
    parent.attempt,
    options.depth,
    options.workflow,
    options.version,
    options.documentSha,
    JSON.stringify(document),
    document.name,
    options.priority,
    options.onFailure,
    options.tags,
    tasks,
    tasks.map((_, position) => position),
    children.map(({ runId }) => runId),
    children.map(({ index }) => index),
    children.map(({ inputs }) => JSON.stringify(inputs)),
    options.since,
  ]);
  return rows.length;
}

/**
 * Asks the schedulers to cancel, pause or resume all active children of a run, or of one of its tasks. Returns all of these,
 * and those of them that were asked now; a cancel that waits to be done is not asked for twice.
 */
export async function controlChildren(
  session: Session,
  of: { runId: string; taskKey?: string | undefined },
  order: { kind: 'cancel' | 'pause' | 'resume'; payload?: unknown },
): Promise<{ active: string[]; asked: string[] }> {
  const payload = order.payload === undefined ? null : JSON.stringify(order.payload);
  const rows = await session.query(CONTROL_CHILDREN, [of.runId, of.taskKey ?? null, order.kind, payload]);
  const children = rows.map((row) => controlledSchema.parse(row));
  return {
    active: children.map(({ run_id }) => run_id),
    asked: children.flatMap(({ run_id, asked }) => (asked ? [run_id] : [])),
  };
}

/** True while a run that some task of the run started goes on. */
export async function hasActiveChildren(session: Session, runId: string): Promise<boolean> {
  const [row] = await session.query(HAS_ACTIVE, [runId]);
  return activeSchema.parse(row).active;
}
