import type { RunStatus } from '@lattice/contracts';
import { z } from 'zod';
import { runStatusColumn } from '../columns';
import type { Database, Session } from '../database';
import { prepared } from '../statements';

const ACTIVE = prepared('active-children');
const ORPHANED = prepared('orphaned-runs');
const TAKE_UNSENT = prepared('take-unsent');
const ASK_CANCEL = prepared('ask-cancel');

/** A run that a task started and that has not ended. */
export interface ActiveChild {
  readonly runId: string;
  readonly epoch: number;
  readonly status: RunStatus;
  readonly documentSha: string;
  readonly workflow: string;
  readonly version: number | null;
  readonly priority: number;
  readonly parent: { readonly runId: string; readonly taskKey: string };
}

const childSchema = z
  .object({
    run_id: z.string(),
    epoch: z.number(),
    status: runStatusColumn,
    document_sha: z.string(),
    workflow: z.string(),
    version: z.number().nullable(),
    priority: z.number(),
    parent_run_id: z.string(),
    parent_task: z.string(),
  })
  .transform((row): ActiveChild => ({
    runId: row.run_id,
    epoch: row.epoch,
    status: row.status,
    documentSha: row.document_sha,
    workflow: row.workflow,
    version: row.version,
    priority: row.priority,
    parent: { runId: row.parent_run_id, taskKey: row.parent_task },
  }));

const unsentSchema = z.object({ run_id: z.string() });

/** Children of runs (of one task, when it is named) that have not ended; those that were begun come first. */
export async function activeChildren(
  session: Session,
  of: { runIds: readonly string[]; taskKey?: string | undefined },
): Promise<ActiveChild[]> {
  const rows = await session.query(ACTIVE, [of.runIds, of.taskKey ?? null]);
  return rows.map((row) => childSchema.parse(row));
}

/** Of some runs those that a task has started and that go on though the run of that task has ended. */
export async function orphanedRuns(session: Session, runIds: readonly string[]): Promise<ActiveChild[]> {
  const rows = await session.query(ORPHANED, [runIds]);
  return rows.map((row) => childSchema.parse(row));
}

/**
 * Gives `fn` those of some runs that were not sent to the queue yet, for it to do with them what is to be done instead: nobody sends them
 * any more. When it throws they are sent after all, so what it does must bear that.
 */
export async function takeUnsent(
  db: Database,
  runIds: readonly string[],
  fn: (runIds: ReadonlySet<string>) => Promise<void>,
): Promise<Set<string>> {
  return db.transaction(async (session) => {
    const rows = await session.query(TAKE_UNSENT, [runIds]);
    const taken = new Set(rows.map((row) => unsentSchema.parse(row).run_id));
    if (taken.size > 0) await fn(taken);
    return taken;
  });
}

/** Asks the schedulers to cancel runs, each on its own; one that is asked already is not asked again. */
export async function askCancel(session: Session, runIds: readonly string[], reason: string): Promise<void> {
  if (runIds.length > 0) await session.query(ASK_CANCEL, [runIds, JSON.stringify({ reason })]);
}
