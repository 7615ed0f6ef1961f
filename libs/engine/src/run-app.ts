import { setFlagsFromString } from 'node:v8';
import { SettingsError, createLogger, readSettings, type Settings } from '@lattice/config';
import { LatticeError } from '@lattice/contracts';
import type { Engine } from './context';
import { closeEngine, openEngine } from './open-engine';
import { stopLimitOf } from './stop-limit';

/** What an app gives back once it runs. */
export interface RunningApp {
  /** Stops intake, lets go what runs within its own limits. The engine is closed afterwards. */
  close(): Promise<void>;
}

/**
 * Bytecodes that a function runs before V8 looks whether to optimise it; V8's own is twice that and more. A process that serves
 * few requests a second would run unoptimised code for hours.
 */
const INTERRUPT_BUDGET = 30_000;
/** By so many percent of what is alive the heap may grow until it is collected. Where there is much memory V8 lets it grow fourfold. */
const HEAP_GROWING = 70;

/**
 * The life of a process of Lattice, in one place: settings (all faults together, exit 2), connections, start, signals, stop in
 * order. SIGTERM and SIGINT stop it; a start that fails exits with 1 and one line that says why.
 */
export function runApp(
  name: string,
  environment: NodeJS.ProcessEnv,
  start: (engine: Engine) => Promise<RunningApp>,
): void {
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  // It reads all events, which leaves much to collect; the others keep little.
  if (name === 'scheduler') setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING}`);
  const settings = settingsOrExit(environment);
  run(name, settings, start).catch((error: unknown) => {
    const code = error instanceof LatticeError ? ` (${error.code})` : '';
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The ${name} could not start${code}: ${message}\n`);
    process.exit(1);
  });
}

function settingsOrExit(environment: NodeJS.ProcessEnv): Settings {
  try {
    return readSettings(environment);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

async function run(name: string, settings: Settings, start: (engine: Engine) => Promise<RunningApp>): Promise<void> {
  const log = createLogger(name, settings.logLevel);
  const engine = await openEngine(settings, `lattice-${name}`, log);
  let app: RunningApp;
  try {
    app = await start(engine);
  } catch (error) {
    await closeEngine(engine);
    throw error;
  }
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, `the ${name} stops`);
    const limit = setTimeout(
      () => {
        log.error(`the ${name} did not stop in time`);
        process.exit(1);
      },
      stopLimitOf(name, settings),
    );
    limit.unref();
    app
      .close()
      .then(() => closeEngine(engine))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, `the ${name} did not stop cleanly`);
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  log.info(`the ${name} runs`);
}
