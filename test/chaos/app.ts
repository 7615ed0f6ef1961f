import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually';

const root = resolve(__dirname, '..', '..');
const START_MS = 60_000;

export type Kind = 'api' | 'scheduler' | 'worker';

/** One life of an app in its place. */
export interface App {
  readonly kind: Kind;
  readonly pid: number;
  readonly logFile: string;
  /** Also true when it was only told to. */
  readonly stopping: () => boolean;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves when it says that it runs; rejects when it ends before. */
  ready(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

const living = new Set<number>();

/** Ends every app at once: for a suite that is interrupted. */
export function killAllApps(): void {
  for (const pid of living) process.kill(pid, 'SIGKILL');
}

/** Starts an app as a user does who has built it: from its dist, with its settings in the environment. */
export function startApp(kind: Kind, env: NodeJS.ProcessEnv, logFile: string): App {
  const main = join(root, 'apps', kind, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is not there: npm run build`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [main], { cwd: root, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`the ${kind} could not be started`);
  living.add(pid);
  let stopping = false;
  let over = false;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) =>
    child.once('exit', (code, signal) => {
      over = true;
      living.delete(pid);
      done({ code, signal });
    }),
  );
  const says = (): boolean => readFileSync(logFile, 'utf8').includes(`the ${kind} runs`);
  return {
    kind,
    pid,
    logFile,
    ended,
    stopping: () => stopping,
    ready: async () => {
      await eventually(`the ${kind} runs`, () => (over || says() ? true : undefined), START_MS);
      if (!says()) throw new Error(`the ${kind} ended at its start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    },
    signal: (signal) => {
      stopping ||= signal === 'SIGKILL' || signal === 'SIGTERM';
      child.kill(signal);
    },
  };
}
