import { readFileSync } from 'node:fs';
import type { Platform } from '@lattice/embedded';
import { LatticeClient } from '@lattice/sdk';
import type { DocumentFile } from '../document/read-document';
import { withSource } from '../document/with-source';
import { EXIT, exitOfRun, type ExitCode } from '../exit-codes';
import { follow } from '../progress/follow';
import { newPrinter, silentPrinter } from '../progress/printer';
import { renderSummary } from '../progress/summary';
import type { Context } from '../register';
import { reportError } from '../report-error';
import { colorsOf, print, printJson } from '../terminal';
import type { Reporter } from './reporter';

export interface FirstRun {
  context: Context;
  platform: Platform;
  source: DocumentFile;
  reporter: Reporter;
  /** Stops watching. */
  signal: AbortSignal;
  quiet: boolean;
  /** The platform ends after it. */
  exit: boolean;
}

/** Runs the document of --run with live progress and prints its result. A fault of it is reported, not thrown: the platform may go on. */
export async function firstRun({
  context,
  platform,
  source,
  reporter,
  signal,
  quiet,
  exit,
}: FirstRun): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const { out, env } = terminal;
  const apiKey = readFileSync(platform.adminKeyFile, 'utf8').trim();
  const client = new LatticeClient({ url: platform.url, apiKey });
  try {
    const { runId } = await withSource(source, '/workflow', () => client.submit({ workflow: source.document, signal }));
    const printer = globals.json
      ? silentPrinter((text) => print(terminal.err, text))
      : newPrinter({ output: out, env, quiet });
    if (!globals.json) print(out, '');
    reporter.above(printer);
    const { run, tails } = await follow({ client, runId, printer, signal }).finally(() => reporter.above(undefined));
    if (globals.json) printJson(out, run);
    else print(out, `\n${renderSummary(run, { colors: colorsOf(out, env), command: exit ? undefined : name, tails })}`);
    return exitOfRun(run.status);
  } catch (error) {
    if (signal.aborted) return EXIT.failed;
    return reportError(error, { ...globals, url: platform.url }, terminal);
  }
}
