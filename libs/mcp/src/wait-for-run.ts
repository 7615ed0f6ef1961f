import { FINAL_TASK_STATUSES, isFinalRun, parseDuration, tellWait, type RunView } from '@lattice/contracts';
import { z } from 'zod';
import { Cuts } from './show/cut';
import { runShownSchema, showRun } from './show/show-run';
import { showTask, taskShownSchema } from './show/show-task';
import type { ToolContext } from './tool';

/** Clients give up on a call after 60 s unless they are told otherwise. */
const LONGEST_WAIT_MS = 50_000;
/** The caller is told how far the run is after so long, then at intervals that grow up to two seconds. */
const FIRST_SLICE_MS = 250;
const LONGEST_SLICE_MS = 2_000;
const MOST_FAILED = 5;
const FINAL = new Set<string>(FINAL_TASK_STATUSES);

/** How long a call may wait for a run. */
export const waitSchema = z
  .string()
  .refine((text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms <= LONGEST_WAIT_MS;
  }, 'not a duration up to 50s: write 0s, 500ms, 30s')
  .describe('How long to wait for its end, up to 50s; then the run is given as it is, and goes on.');

/** A run that was waited for: with what failed, and what to do next. */
export const outcomeSchema = runShownSchema.extend({
  failed: z.array(taskShownSchema).describe(`Tasks that failed, the first ${MOST_FAILED}.`),
  next: z.string().nullable().describe('What to do next, when the run has not ended or did not complete.'),
});

/** Waits for the end of a run up to a time, telling the caller how many of its tasks have ended. */
export async function waitForRun(
  { platform, signal, progress }: ToolContext,
  runId: string,
  wait: string,
): Promise<z.input<typeof outcomeSchema>> {
  const until = Date.now() + (parseDuration(wait) ?? 0);
  let told = -1;
  for (let slice = FIRST_SLICE_MS; ; slice = Math.min(LONGEST_SLICE_MS, slice * 2)) {
    const left = Math.max(0, until - Date.now());
    await platform.wait(runId, { timeout: `${Math.min(slice, left)}ms`, signal });
    const run = await platform.getRun(runId, { tasks: false, signal });
    const { done, total } = countDone(run);
    if (done > told)
      progress({ done, total, message: `${done} of ${total} tasks have ended; the run is ${run.status}` });
    told = Math.max(told, done);
    if (isFinalRun(run.status) || Date.now() >= until) return showOutcome(await withTasks(run));
  }

  /** Tasks are read only of runs that have something to say about them. */
  async function withTasks(run: RunView): Promise<RunView> {
    return run.status === 'completed' ? run : platform.getRun(runId, { signal });
  }
}

function countDone({ summary }: RunView): { done: number; total: number } {
  const totals = Object.entries(summary?.totals ?? {});
  return {
    done: totals.reduce((sum, [status, count]) => sum + (FINAL.has(status) ? count : 0), 0),
    total: summary?.tasks ?? 0,
  };
}

function showOutcome(run: RunView): z.input<typeof outcomeSchema> {
  const cuts = new Cuts();
  const failed = run.tasks
    .filter(({ status }) => status === 'failed')
    .slice(0, MOST_FAILED)
    .map((task, index) => showTask(task, cuts, { runId: run.runId, at: `/failed/${index}` }));
  return { ...showRun(run, cuts), failed, next: nextStep(run) };
}

function nextStep(run: RunView): string | null {
  const { runId, status } = run;
  switch (status) {
    case 'completed':
      return null;
    case 'failed':
      return `See read_logs and get_run_report of ${runId} for why; retry_run does again what did not complete.`;
    case 'cancelled':
      return `retry_run of ${runId} does again what did not complete.`;
    case 'paused':
      return `resume_run lets ${runId} go on.`;
    case 'waiting':
      return `${waitingTasks(run)}: signal_run sends a signal, answer_approval answers an approval.`;
    case 'pending':
    case 'running':
      return `It goes on: call wait_for_run with ${runId} again. get_run and list_workers say why tasks are queued.`;
  }
}

/** Tasks that are shown with what they wait for, and the letters of what an approval asks. */
const MOST_WAITING = 10;
const MOST_ASKED = 500;

function waitingTasks({ tasks }: RunView): string {
  const waiting = tasks.flatMap((task) => {
    const told = tellWait(task);
    return told === undefined ? [] : [`${task.key} ${told.slice(0, MOST_ASKED)}`];
  });
  if (waiting.length === 0) return 'Tasks wait';
  const more = waiting.length > MOST_WAITING ? `; and ${waiting.length - MOST_WAITING} more` : '';
  return `${waiting.slice(0, MOST_WAITING).join('; ')}${more}`;
}
