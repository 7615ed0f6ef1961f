import type { Platform } from '@lattice/embedded';
import { shortPath } from '../connection';
import { readDocumentFile, type DocumentFile } from '../document/read-document';
import { EXIT, type ExitCode } from '../exit-codes';
import type { Context } from '../register';
import { colorsOf, print } from '../terminal';
import { firstRun } from './first-run';
import { renderWelcome } from './render-welcome';
import { newReporter, type Reporter } from './reporter';
import { StopRequest } from './stop-request';

export interface UpOptions {
  run?: string | undefined;
  exit: boolean;
  port?: number | undefined;
  quiet: boolean;
}

/** Starts the platform, runs the workflow if there is one, and serves until it is told to stop. */
export async function up(context: Context, options: UpOptions): Promise<ExitCode> {
  const { terminal } = context;
  // Before anything starts: a typo in the file should not cost a start.
  const source = options.run === undefined ? undefined : await readDocumentFile(options.run, terminal.cwd);
  const reporter = newReporter(context);
  const { onStopSignals } = await import('@lattice/embedded');
  const stop = new StopRequest();
  let platform: Platform | undefined;
  const endSignals = onStopSignals({
    stop: () => {
      if (!stop.requested) reporter.say('stopping (Ctrl-C again to end at once)');
      stop.request();
    },
    kill: () => {
      platform?.kill();
      process.exit(EXIT.interrupted);
    },
  });
  try {
    platform = await start(options, reporter, stop);
    if (platform === undefined) return EXIT.interrupted;
    return await serve({ context, options, platform, reporter, stop, source });
  } finally {
    await platform?.stop();
    endSignals();
    if (platform && !options.exit) reporter.say('stopped');
  }
}

/** The platform; undefined when the user has stopped its start. Throws EmbeddedError. */
async function start(options: UpOptions, reporter: Reporter, stop: StopRequest): Promise<Platform | undefined> {
  const { startPlatform, EmbeddedError, embeddedCodes } = await import('@lattice/embedded');
  try {
    const platform = await startPlatform({
      port: options.port,
      exit: options.exit,
      signal: stop.signal,
      onStatus: (status) => {
        if (status.kind === 'step') reporter.step(status.text);
        else reporter.alarm(status.exit.message, status.exit.logFile);
      },
    });
    reporter.step('ready');
    return platform;
  } catch (error) {
    if (!(error instanceof EmbeddedError) || error.code !== embeddedCodes.stopped) throw error;
    reporter.say('stopped');
    return undefined;
  }
}

interface Serve {
  context: Context;
  options: UpOptions;
  platform: Platform;
  reporter: Reporter;
  stop: StopRequest;
  source: DocumentFile | undefined;
}

async function serve({ context, options, platform, reporter, stop, source }: Serve): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  let code: ExitCode = EXIT.completed;
  if (source) {
    // With --exit nobody would start the dead part again: the run could wait for ever.
    if (options.exit) platform.onAppExit(() => stop.request());
    code = await firstRun({
      context,
      platform,
      source,
      reporter,
      signal: stop.signal,
      quiet: options.quiet,
      exit: options.exit,
    });
  }
  if (options.exit) return code;
  if (stop.requested) return EXIT.completed;
  // With --json stdout is for the run alone.
  const output = globals.json ? terminal.err : terminal.out;
  const colors = colorsOf(output, terminal.env);
  const files = {
    adminKeyFile: shortPath(platform.adminKeyFile, terminal.cwd),
    logs: shortPath(`${platform.home}/logs`, terminal.cwd),
  };
  print(output, `\n${renderWelcome({ url: platform.url, ...files, example: options.run, command: name, colors })}`);
  await stop.wait();
  return EXIT.completed;
}
