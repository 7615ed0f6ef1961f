import type { LatticeClient } from '@lattice/sdk';
import { EXIT, exitOfRun, type ExitCode } from '../exit-codes';
import { Interrupted, interruptible } from '../interrupt';
import { follow } from '../progress/follow';
import { newPrinter, silentPrinter, type Printer } from '../progress/printer';
import { renderSummary } from '../progress/summary';
import type { Context } from '../register';
import { colorsOf, isLive, print, printJson } from '../terminal';

export interface WatchOptions {
  context: Context;
  client: LatticeClient;
  runId: string;
  quiet: boolean;
}

/** Follows a run to its end and prints its result. Ctrl-C stops following, not the run. */
export async function watchRun({ context, client, runId, quiet }: WatchOptions): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const printer = printerFor(context, { quiet, hint: 'Ctrl-C stops watching, not the run' });
  const interrupt = await interruptible();
  try {
    const { run, tails } = await follow({ client, runId, printer, signal: interrupt.signal, command: name });
    if (globals.json) printJson(terminal.out, run);
    else
      print(
        terminal.out,
        `\n${renderSummary(run, { colors: colorsOf(terminal.out, terminal.env), command: name, tails })}`,
      );
    return exitOfRun(run.status);
  } catch (error) {
    if (!interrupt.signal.aborted || !(interrupt.signal.reason instanceof Interrupted)) throw error;
    print(terminal.err, stillRunning(runId, name));
    return EXIT.interrupted;
  } finally {
    interrupt.end();
  }
}

function stillRunning(runId: string, name: string): string {
  return [
    '',
    `Stopped watching; the run goes on.`,
    `  cancel it:      ${name} runs cancel ${runId}`,
    `  watch it again: ${name} runs watch ${runId}`,
  ].join('\n');
}

/** With --json stdout is for the document alone: progress goes to stderr, if someone is there to see it. */
export function printerFor({ terminal, globals }: Context, { quiet, hint }: { quiet: boolean; hint: string }): Printer {
  const output = globals.json ? terminal.err : terminal.out;
  if (globals.json && !isLive(output, terminal.env)) return silentPrinter((text) => print(output, text));
  return newPrinter({ output, env: terminal.env, quiet, hint });
}
