import { LatticeError, fault, type RunView } from '@lattice/contracts';
import { z } from 'zod';
import { filesOf } from '../show/show-task';
import type { Platform } from '../platform';
import { READS, tool } from '../tool';
import { runIdArgument, taskArgument, textArgument } from './arguments';

const OF_RUN = ['inputs', 'outputs', 'error'] as const;
const OF_TASK = ['output', 'error', 'artifacts'] as const;
const WHAT = ['inputs', 'outputs', 'output', 'error', 'artifacts', 'document'] as const;

const inputSchema = z.strictObject({
  runId: runIdArgument.optional().describe('The run; not for a document.'),
  task: taskArgument.optional().describe('Key of the task, for its output, error or artifacts.'),
  workflow: textArgument().optional().describe('Name of a saved workflow, for its document.'),
  version: z.int().positive().optional().describe('Of the workflow; the newest when absent.'),
  what: z.enum(WHAT),
  offset: z.int().min(0).default(0).describe('`next` of the part before.'),
  limit: z.int().min(1).max(100_000).default(20_000).describe('Characters of a part.'),
});
type Asked = z.output<typeof inputSchema>;

export const readValue = tool({
  name: 'read_value',
  title: 'Read a long value in parts',
  description:
    'A value that other tools cut, as JSON text in parts: inputs, outputs or error of a run; output, error or artifacts of a task; document of a workflow.',
  needs: 'viewer',
  hints: READS,
  input: inputSchema,
  output: z.object({
    text: z.string(),
    offset: z.int(),
    characters: z.int().describe('Length of the whole.'),
    next: z.int().nullable().describe('Give it as `offset` for the next part; null when this was the last.'),
  }),
  run: async (asked, { platform, signal }) => {
    const text = JSON.stringify(await valueOf(platform, asked, signal)) ?? 'null';
    return partOf(text, asked);
  },
});

/** A part of a long text, and where the next begins. */
export function partOf(
  text: string,
  { offset, limit }: { offset: number; limit: number },
): { text: string; offset: number; characters: number; next: number | null } {
  const end = offset + limit;
  return { text: text.slice(offset, end), offset, characters: text.length, next: end < text.length ? end : null };
}

async function valueOf(platform: Platform, asked: Asked, signal: AbortSignal): Promise<unknown> {
  const { runId, task, workflow, version, what } = asked;
  if (what === 'document') {
    if (workflow === undefined) throw misfit('/workflow', 'a document is read of a workflow: give its name');
    return (await platform.getWorkflow(workflow, { version, signal })).document;
  }
  if (runId === undefined) throw misfit('/runId', `${what} is read of a run: give its id`);
  const wanted = task === undefined ? OF_RUN : OF_TASK;
  if (!wanted.some((one) => one === what))
    throw misfit('/what', `a ${task === undefined ? 'run' : 'task'} has ${wanted.join(', ')}, not ${what}`);
  const run = await platform.getRun(runId, { signal, ...(task === undefined ? { tasks: false } : {}) });
  return task === undefined ? ofRun(run, what) : ofTask(run, task, what);
}

function ofRun(run: RunView, what: Asked['what']): unknown {
  return what === 'inputs' ? run.inputs : what === 'outputs' ? run.outputs : run.error;
}

function ofTask(run: RunView, key: string, what: Asked['what']): unknown {
  const task = run.tasks.find((one) => one.key === key);
  if (task === undefined) throw new LatticeError('task_not_found', `Run ${run.runId} has no task "${key}".`);
  return what === 'output' ? task.output : what === 'error' ? task.error : Object.fromEntries(filesOf(task));
}

function misfit(pointer: string, message: string): LatticeError {
  return new LatticeError('bad_request', 'The arguments of the call have faults.', {
    faults: [fault('bad_value', pointer, message)],
  });
}
