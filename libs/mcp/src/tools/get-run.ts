import { LatticeError, TASK_STATUSES, type TaskView } from '@lattice/contracts';
import { z } from 'zod';
import { Cuts } from '../show/cut';
import { runShownSchema, showRun } from '../show/show-run';
import { showTask, taskShownSchema } from '../show/show-task';
import { READS, tool } from '../tool';
import { runIdArgument } from './arguments';

export const getRun = tool({
  name: 'get_run',
  title: 'Read a run',
  description:
    'A run with its status, outputs, error and tasks: state, attempts, worker, output, error, and why a task is queued. Long values are cut, and `cut` says how to read them.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    runId: runIdArgument,
    status: z.array(z.enum(TASK_STATUSES)).min(1).optional().describe('Only tasks in one of these states.'),
    after: z.string().optional().describe('`nextTask` of the page before.'),
    limit: z.int().min(0).max(200).default(30).describe('Tasks of a page; 0 for the run alone.'),
  }),
  output: runShownSchema.extend({
    taskList: z.array(taskShownSchema),
    nextTask: z.string().nullable().describe('Give it as `after` for more tasks; null when there are none.'),
  }),
  run: async ({ runId, status, after, limit }, { platform, signal }) => {
    const run = await platform.getRun(runId, { signal, ...(limit === 0 ? { tasks: false } : {}) });
    const cuts = new Cuts();
    const { page, nextTask } = pageOf(run.tasks, { runId, status, after, limit });
    const taskList = page.map((task, index) => showTask(task, cuts, { runId, at: `/taskList/${index}` }));
    return { ...showRun(run, cuts), taskList, nextTask };
  },
});

function pageOf(
  tasks: readonly TaskView[],
  asked: { runId: string; status: readonly string[] | undefined; after: string | undefined; limit: number },
): { page: TaskView[]; nextTask: string | null } {
  const from = asked.after === undefined ? 0 : tasks.findIndex(({ key }) => key === asked.after) + 1;
  if (asked.after !== undefined && from === 0 && asked.limit > 0)
    throw new LatticeError('task_not_found', `Run ${asked.runId} has no task "${asked.after}".`);
  const fitting = tasks.slice(from).filter(({ status }) => asked.status?.includes(status) ?? true);
  const page = fitting.slice(0, asked.limit);
  return { page, nextTask: fitting.length > page.length ? (page.at(-1)?.key ?? null) : null };
}
