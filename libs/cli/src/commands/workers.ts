import type { Command } from 'commander';
import type { WorkerView } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { bytes, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

export function registerWorkers(program: Command, shell: Shell): void {
  const command = program
    .command('workers')
    .summary('list the workers')
    .description('Lists the workers with their resources and what they run.');
  does(shell, command, z.object({}), list);
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
    case 'draining':
    case 'stale':
      return colors.yellow;
    case 'offline':
      return colors.red;
  }
}
