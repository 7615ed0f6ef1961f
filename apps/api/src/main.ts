import 'reflect-metadata';
import { SettingsError, createLogger, readSettings, type Settings } from '@lattice/config';
import { closeEngine, openEngine } from '@lattice/engine';
import { startApi, type RunningApi } from './start-api';

/** The whole stop takes at most so many milliseconds; then the process ends with 1. */
const STOP_LIMIT_MS = 20_000;

/** The settings, or the end of the process with all their faults. */
function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const settings = settingsOrExit();
  const log = createLogger('api', settings.logLevel);
  const engine = await openEngine(settings, 'lattice-api', log);
  let api: RunningApi;
  try {
    api = await startApi(engine);
  } catch (error) {
    await closeEngine(engine);
    throw error;
  }
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'the API stops');
    setTimeout(() => {
      log.error('the API did not stop in time');
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    api
      .close()
      .then(() => closeEngine(engine))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'the API did not stop cleanly');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The API could not start: ${message}\n`);
  process.exit(1);
});
