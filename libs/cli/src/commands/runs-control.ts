import type { Command } from 'commander';
import { isFinalRun, type RunStatus } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

/** The verbs that change a run: each one call, then the state the run is in after it. */
const VERBS = {
  cancel: 'Cancels a run: what runs is stopped, what waits is dropped.',
  pause: 'Lets running tasks end, and starts no others.',
  resume: 'Goes on with a paused run.',
  retry: 'Runs again what failed or was cancelled; finished tasks keep their results.',
} as const;
type Verb = keyof typeof VERBS;

export function registerRunsControl(runs: Command, shell: Shell): void {
  const register = (verb: Verb): void => {
    const command = runs.command(verb).description(VERBS[verb]).argument('<id>', 'id of the run');
    does(shell, command, z.object({}), (context, _options, args) => control(verb, context, args[0] ?? ''));
  };
  register('cancel');
  register('pause');
  register('resume');
  register('retry');
}

async function control(verb: Verb, context: Context, runId: string): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const client = context.client();
  await act(verb, client, runId);
  // What is asked for is stored; a cancelled run has ended when nothing of it runs any more.
  const { status } = verb === 'cancel' ? await client.wait(runId, { timeout: '5s' }) : await client.getRun(runId);
  if (globals.json) printJson(terminal.out, { runId, status });
  else print(terminal.out, said(verb, runId, status, name));
  return EXIT.completed;
}

function said(verb: Verb, runId: string, status: RunStatus, command: string): string {
  if (verb === 'cancel' && !isFinalRun(status)) return `run ${runId} is being cancelled; it is still ${status}`;
  return verb === 'retry'
    ? `run ${runId} is ${status}; watch it: ${command} runs watch ${runId}`
    : `run ${runId} is ${status}`;
}

function act(verb: Verb, client: LatticeClient, runId: string): Promise<void> {
  switch (verb) {
    case 'cancel':
      return client.cancel(runId);
    case 'pause':
      return client.pause(runId);
    case 'resume':
      return client.resume(runId);
    case 'retry':
      return client.retry(runId);
  }
}
