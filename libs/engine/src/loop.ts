import type { Logger } from '@lattice/config';

/** A loop of a process: it runs until it is stopped, and an error in it is told and waited out, never its end. */
export interface Loop {
  /** Runs the next turn now instead of after its pause. */
  wake(): void;
  /** Resolves when the turn that is on has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** One turn. Returns milliseconds to wait until the next; a wake ends the wait. */
  readonly turn: (signal: AbortSignal) => Promise<number>;
  /** Milliseconds to wait after an error. */
  readonly afterErrorMs?: number;
}

/** Starts a loop. */
export function startLoop({ name, log, turn, afterErrorMs = 500 }: LoopOptions): Loop {
  const abort = new AbortController();
  let woken = false;
  let wakeUp: (() => void) | undefined;
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(finish, ms);
      function finish(): void {
        clearTimeout(timer);
        wakeUp = undefined;
        resolve();
      }
      wakeUp = finish;
    });
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      woken = false;
      let pause: number;
      try {
        pause = await turn(abort.signal);
      } catch (error) {
        if (!abort.signal.aborted)
          log.warn({ err: error, loop: name }, `${name} failed; it goes on in ${afterErrorMs} ms`);
        pause = afterErrorMs;
      }
      if (pause > 0 && !woken && !abort.signal.aborted) await wait(pause);
    }
  };
  const ended = run();
  return {
    wake: () => {
      woken = true;
      wakeUp?.();
    },
    stop: async () => {
      abort.abort();
      wakeUp?.();
      await ended;
    },
  };
}
