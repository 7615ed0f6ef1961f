import { execFile, type ChildProcess } from 'node:child_process';
import { isAbsence } from './lock-folder';

export interface Answer {
  /** Exit code. Others than 0 come with answers that are whole, too: with a warning, for instance. */
  readonly code: number;
  readonly stdout: string;
  /** What went wrong is told on either stream. */
  readonly stderr: string;
}

/** Runs nvidia-smi with these words. Resolves with undefined where there is none; rejects when it does not answer in time. */
export type AskNvidiaSmi = (words: readonly string[]) => Promise<Answer | undefined>;

/**
 * A driver in trouble may never answer, and then its program can't even be killed: it waits in the kernel. Such a one is left
 * behind, and no other is started as long as it is there.
 */
export function createAsk({ program, limitMs }: { program: string; limitMs: number }): AskNvidiaSmi {
  let stuck: ChildProcess | undefined;

  return (words) =>
    new Promise((resolve, reject) => {
      if (stuck !== undefined) return reject(new Error('it has not ended since an earlier look: the driver hangs'));
      const child = execFile(program, words, { killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        clearTimeout(timer);
        if (error === null) return resolve({ code: 0, stdout, stderr });
        if (isAbsence(error)) return resolve(undefined);
        if (typeof error.code !== 'number') return reject(new Error(error.message));
        resolve({ code: error.code, stdout, stderr });
      });
      const timer = setTimeout(() => {
        stuck = child;
        child.once('exit', () => (stuck = undefined));
        child.kill('SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
        child.unref();
        reject(new Error(`it did not answer within ${limitMs} ms`));
      }, limitMs);
    });
}
