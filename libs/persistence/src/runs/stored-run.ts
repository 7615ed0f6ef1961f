import { ON_FAILURE, type OnFailure, type RunStatus } from '@lattice/contracts';
import { z } from 'zod';
import { objectColumn, runStatusColumn, timeColumn } from '../columns';

/** What the scheduler must know of a run to queue it or to build it again. */
export interface StoredRun {
  runId: string;
  workflow: string;
  version: number | null;
  documentSha: string;
  status: RunStatus;
  priority: number;
  onFailure: OnFailure;
  tags: string[];
  inputs: Record<string, unknown>;
  epoch: number;
  taskCount: number;
  createdAt: string;
  /** The schedule that made it, and the tick. */
  schedule: string | null;
  tick: string | null;
  /** The task of another run that started this one. */
  parent: { runId: string; taskKey: string } | null;
}

/** Columns of a run, as `claim-outbox` and `list-active-runs` select them. */
export const storedRunSchema = z
  .object({
    run_id: z.string(),
    workflow: z.string(),
    version: z.number().nullable(),
    document_sha: z.string(),
    status: runStatusColumn,
    priority: z.number(),
    on_failure: z.enum(ON_FAILURE),
    tags: z.array(z.string()),
    inputs: objectColumn,
    epoch: z.number(),
    task_count: z.number(),
    created_at: timeColumn,
    schedule: z.string().nullable(),
    tick: timeColumn.nullable(),
    parent_run_id: z.string().nullable(),
    parent_task: z.string().nullable(),
  })
  .transform((row): StoredRun => ({
    runId: row.run_id,
    workflow: row.workflow,
    version: row.version,
    documentSha: row.document_sha,
    status: row.status,
    priority: row.priority,
    onFailure: row.on_failure,
    tags: row.tags,
    inputs: row.inputs,
    epoch: row.epoch,
    taskCount: row.task_count,
    createdAt: row.created_at,
    schedule: row.schedule,
    tick: row.tick,
    parent:
      row.parent_run_id === null || row.parent_task === null
        ? null
        : { runId: row.parent_run_id, taskKey: row.parent_task },
  }));
