import type { Command } from 'commander';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

const payloadSchema = z.object({ payload: z.string().optional() });
const commentSchema = z.object({ comment: z.string().optional() });

/** What people say to a run that waits for them. */
export function registerRunsSignal(runs: Command, shell: Shell): void {
  const signal = runs
    .command('signal')
    .description('Sends a signal: a task that waits for one of this name goes on with it.')
    .argument('<id>', 'id of the run')
    .argument('<name>', 'name of the signal')
    .option('--payload <json>', 'what the task is given; null when absent');
  does(shell, signal, payloadSchema, (context, { payload }, [runId = '', name = '']) =>
    send(context, {
      runId,
      name,
      payload: payload === undefined ? null : parse(payload),
      said: `sent ${name} to run ${runId}`,
    }),
  );
  answer(runs, shell, 'approve', true);
  answer(runs, shell, 'reject', false);
}

function answer(runs: Command, shell: Shell, verb: 'approve' | 'reject', approved: boolean): void {
  const command = runs
    .command(verb)
    .description(approved ? 'Says yes to a task that asks for an approval.' : 'Says no to it: the task fails.')
    .argument('<id>', 'id of the run')
    .argument('<task>', 'key of the task that asks')
    .option('--comment <text>', 'kept with the answer');
  does(shell, command, commentSchema, (context, { comment }, [runId = '', name = '']) =>
    send(context, {
      runId,
      name,
      payload: { approved, ...(comment === undefined ? {} : { comment }) },
      said: `${approved ? 'approved' : 'rejected'} ${name} of run ${runId}`,
    }),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadInput(`--payload is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function send(
  context: Context,
  { runId, name, payload, said }: { runId: string; name: string; payload: unknown; said: string },
): Promise<ExitCode> {
  const { terminal, globals } = context;
  await context.client().signal(runId, name, payload);
  if (globals.json) printJson(terminal.out, { runId, signal: name });
  else print(terminal.out, said);
  return EXIT.completed;
}
