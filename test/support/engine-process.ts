/**
 * A scheduler or worker as a process of its own, which a test may kill. KIND is scheduler or worker; with RACE it kills itself
 * at that race point (of the task RACE_TASK, if that is set). Says `ready` when it runs.
 */
import { testHandlers } from './handlers';
import { settingsOf, startScheduler, startWorker } from './engine-parts';

const { KIND, LEDGER, RACE, RACE_TASK } = process.env;

function race(point: string, about: { taskKey?: string }): Promise<void> {
  if (point !== RACE || (RACE_TASK !== undefined && about.taskKey !== RACE_TASK)) return Promise.resolve();
  process.kill(process.pid, 'SIGKILL');
  // The signal may come a moment later: nothing more is done until then.
  return new Promise(() => undefined);
}

async function main(): Promise<void> {
  const settings = settingsOf(process.env);
  const part =
    KIND === 'scheduler'
      ? await startScheduler(settings, race)
      : await startWorker(settings, testHandlers(LEDGER ?? ''), race);
  process.on('SIGTERM', () => void part.stop().then(() => process.exit(0)));
  process.on('disconnect', () => process.exit(3));
  process.send?.('ready');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
