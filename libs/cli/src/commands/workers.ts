import type { Command } from 'commander';
import type { WorkerOrder, WorkerView } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { bytes, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

export function registerWorkers(program: Command, shell: Shell): void {
  const command = program
    .command('workers')
    .summary('list the workers, drain or cordon one')
    .description('Lists the workers with their resources and what they run.');
  does(shell, command, z.object({}), list);
  for (const order of ['cordon', 'uncordon'] as const) {
    const own = command.command(order).description(VERBS[order]).argument('<id>', 'id of the worker');
    does(shell, own, z.object({}), (context, _options, args) => tell(context, args[0] ?? '', order, {}));
  }
  const drain = command
    .command('drain')
    .description(VERBS.drain)
    .argument('<id>', 'id of the worker')
    .option('--exit', 'the process ends when nothing runs on it any more')
    .option('--timeout <duration>', 'what runs after so long is stopped and given to other workers');
  does(shell, drain, drainOptions, (context, options, args) => tell(context, args[0] ?? '', 'drain', options));
}

const VERBS: Record<WorkerOrder, string> = {
  cordon: 'Lets a worker take no new tasks; what runs goes on.',
  drain: 'Lets a worker take no new tasks and be done when the last has ended.',
  uncordon: 'Lets a cordoned or drained worker take tasks again.',
};
const SAID: Record<WorkerOrder, string> = {
  cordon: 'takes no new tasks; what runs there goes on',
  drain: 'takes no new tasks, and is drained when the last of its tasks has ended',
  uncordon: 'takes tasks again',
};
const drainOptions = z.object({ exit: z.boolean().optional(), timeout: z.string().optional() });

async function tell(
  { terminal, globals, ...context }: Context,
  workerId: string,
  order: WorkerOrder,
  options: z.infer<typeof drainOptions>,
): Promise<ExitCode> {
  await context.client().orderWorker(workerId, order, options);
  if (globals.json) printJson(terminal.out, { workerId, order });
  else print(terminal.out, `worker ${workerId} ${SAID[order]}`);
  return EXIT.completed;
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal, globals } = context;
  const workers = await context.client().workers();
  if (globals.json) printJson(terminal.out, { workers });
  else if (workers.length === 0) print(terminal.out, 'no workers; runs wait until one is started');
  else print(terminal.out, renderWorkers(workers, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}

export function renderWorkers(workers: readonly WorkerView[], colors: Colors): string {
  return table(
    workers,
    [
      { title: 'WORKER', of: (worker) => worker.workerId },
      {
        title: 'STATUS',
        of: (worker) => worker.status,
        paint: (text, { status }) => paintWorker(status, colors)(text),
      },
      { title: 'HOST', of: (worker) => `${worker.host}:${worker.pid}` },
      { title: 'CPU', of: ({ resources }) => String(resources.cpu), align: 'right' },
      { title: 'MEMORY', of: ({ resources }) => bytes(resources.memory), align: 'right' },
      { title: 'GPU', of: ({ resources }) => String(resources.gpu), align: 'right' },
      { title: 'RUNNING', of: (worker) => String(worker.running), align: 'right' },
      { title: 'HANDLERS', of: (worker) => worker.handlers.join(', ') },
      { title: 'LABELS', of: labels, paint: (text) => colors.dim(text) },
    ],
    colors.dim,
  );
}

function labels(worker: WorkerView): string {
  return Object.entries(worker.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function paintWorker(status: WorkerView['status'], colors: Colors): (text: string) => string {
  switch (status) {
    case 'online':
      return colors.green;
    case 'registering':
    case 'cordoned':
    case 'draining':
    case 'drained':
    case 'stale':
      return colors.yellow;
    case 'deaf':
    case 'offline':
      return colors.red;
  }
}
