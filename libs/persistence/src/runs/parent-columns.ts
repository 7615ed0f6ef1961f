import type { RunSummary } from '@lattice/contracts';
import { z } from 'zod';

/** Which task of which run started a run; all null when none did. */
export const parentColumns = {
  parent_run_id: z.string().nullable(),
  parent_task: z.string().nullable(),
  parent_attempt: z.number().nullable(),
  parent_index: z.number().nullable(),
};
type Row = z.infer<z.ZodObject<typeof parentColumns>>;

/** The task that started a run, as the API shows it. */
export function parentOfRow(row: Row): NonNullable<RunSummary['parent']> | null {
  const { parent_run_id: runId, parent_task: task, parent_attempt: attempt, parent_index: index } = row;
  return runId === null || task === null || attempt === null || index === null ? null : { runId, task, attempt, index };
}
