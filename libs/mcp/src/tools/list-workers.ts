import { WORKER_STATUSES, isFinalRun, labelValueSchema, type WorkerView } from '@lattice/contracts';
import { z } from 'zod';
import type { Platform } from '../platform';
import { READS, tool } from '../tool';

/** Runs whose queued tasks are looked at, and tasks of each that are told of. */
const MOST_RUNS = 10;
const MOST_TASKS = 20;

const amounts = z.object({ cpu: z.number(), memory: z.number().describe('Bytes.'), gpu: z.number() });

const workerShownSchema = z.object({
  workerId: z.string(),
  status: z.enum(WORKER_STATUSES),
  reason: z.string().nullable().describe('Why it is offline.'),
  host: z.string(),
  labels: z.record(z.string(), labelValueSchema),
  handlers: z.array(z.string()),
  resources: amounts,
  free: amounts.extend({ slots: z.number() }),
  gpus: z.array(
    z.object({ model: z.string(), memory: z.number(), healthy: z.boolean(), fault: z.string().nullable() }),
  ),
  running: z.int().describe('Tasks that run on it.'),
  seenAt: z.string(),
});

export const listWorkers = tool({
  name: 'list_workers',
  title: 'List workers, and what waits for them',
  description: `Workers with what they have and what of it is free; and of the ${MOST_RUNS} newest active runs what is queued, with the reason where no worker could take it.`,
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    offline: z.boolean().default(false).describe('Workers that are offline too: those of the last day.'),
  }),
  output: z.object({
    workers: z.array(workerShownSchema),
    offline: z.int().describe('Workers that are offline, shown or not.'),
    waiting: z.array(
      z.object({
        runId: z.string(),
        workflow: z.string(),
        task: z.string().nullable().describe('Null when the run itself waits to be started.'),
        queuedAt: z.string().nullable(),
        reason: z.string().nullable().describe('Null when workers could take it: they are busy, or come to it.'),
      }),
    ),
    notShown: z.object({
      runs: z.boolean().describe('More runs are active than were looked at: list_runs, then get_run, show them.'),
      tasks: z.int().describe('Queued tasks of the runs looked at that are not in the list.'),
    }),
  }),
  run: async ({ offline }, { platform, signal }) => {
    const all = await platform.workers({ signal });
    const online = all.filter(({ status }) => status !== 'offline');
    return {
      workers: (offline ? all : online).map(showWorker),
      offline: all.length - online.length,
      ...(await findWaiting(platform, signal)),
    };
  },
});

interface Waiting {
  runId: string;
  workflow: string;
  task: string | null;
  queuedAt: string | null;
  reason: string | null;
}

async function findWaiting(
  platform: Platform,
  signal: AbortSignal,
): Promise<{ waiting: Waiting[]; notShown: { runs: boolean; tasks: number } }> {
  const active = await platform.listRuns({ status: ['pending', 'running'], limit: MOST_RUNS, signal });
  const waiting: Waiting[] = [];
  let left = 0;
  for (const { runId } of active.runs) {
    const run = await platform.getRun(runId, { signal });
    if (isFinalRun(run.status)) continue;
    const { workflow } = run;
    const queued = run.tasks.filter(({ status }) => status === 'queued');
    if (run.status === 'pending' && queued.length === 0)
      waiting.push({ runId, workflow, task: null, queuedAt: null, reason: run.reason ?? null });
    for (const { key, queuedAt = null, reason } of queued.slice(0, MOST_TASKS))
      waiting.push({ runId, workflow, task: key, queuedAt, reason });
    left += Math.max(0, queued.length - MOST_TASKS);
  }
  return { waiting, notShown: { runs: active.next !== null, tasks: left } };
}

function showWorker(worker: WorkerView): z.input<typeof workerShownSchema> {
  const { workerId, status, reason, host, labels, handlers, running, seenAt } = worker;
  const { cpu, memory, gpu } = worker.resources;
  const gpus = worker.gpus.map(({ model, memory: bytes, healthy, fault }) => ({
    model,
    memory: bytes,
    healthy,
    fault,
  }));
  const resources = { cpu, memory, gpu };
  return { workerId, status, reason, host, labels, handlers, resources, free: worker.free, gpus, running, seenAt };
}
