import { existsSync, writeFileSync } from 'node:fs';
import { createLogger, type Settings } from '@lattice/config';
import { openEngine, openRuntime, type Compiler, type Runtime } from '@lattice/engine';
import { eventually } from './eventually';
import { NEWER } from './newer-compiler';

/** No test holds a part for longer. */
const HELD_MS = 300_000;

/** A scheduler or a worker that runs in this process. */
export interface Part {
  readonly runtime: Runtime;
  stop(): Promise<void>;
}

/** What tests hook into a part. */
export interface Hooks {
  readonly race?: Runtime['race'];
  /** Another compiler than that of this build. */
  readonly compiler?: Compiler | undefined;
}

/** What both are made on. */
export async function openPart(settings: Settings, name: string, hooks: Hooks): Promise<Runtime> {
  const log = createLogger(name, settings.logLevel);
  return openRuntime(await openEngine(settings, `lattice-${name}`, log), hooks);
}

/**
 * The life of a part as a process of its own, which a test may kill. With RACE it kills itself at that race point (of the task
 * RACE_TASK, if that is set), with HOLD it waits at that one for the file HOLD_FILE, with PLANS=newer it makes plans of a later version. Says `ready` when it runs; ends with its parent.
 */
export function runPart(start: (hooks: Hooks) => Promise<Part>): void {
  start({ race, compiler: process.env['PLANS'] === 'newer' ? NEWER : undefined }).then(
    (part) => {
      process.on('SIGTERM', () => void part.stop().then(() => process.exit(0)));
      process.on('disconnect', () => process.exit(3));
      process.send?.('ready');
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    },
  );
}

async function race(point: string, about: { taskKey?: string }): Promise<void> {
  const { RACE, RACE_TASK, HOLD, HOLD_FILE } = process.env;
  if (point === HOLD && HOLD_FILE !== undefined) await hold(HOLD_FILE);
  if (point !== RACE || (RACE_TASK !== undefined && about.taskKey !== RACE_TASK)) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal may come a moment later: nothing more is done until then.
  return new Promise(() => undefined);
}

/** Says that it is there by a file FILE.held, and goes on once the file is there. */
async function hold(file: string): Promise<void> {
  writeFileSync(`${file}.held`, '');
  await eventually(`the test lets it go on, by ${file}`, () => existsSync(file), HELD_MS);
}
