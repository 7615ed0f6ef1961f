import { taskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { TaskFault } from '../outcome';
import { messageOf } from '../thrown';
import type { Engine } from './engine';

/** The wait of the engine can be missed (a lost connection, a container quicker than the request), so the state is asked for too. */
const POLL_MS = 2_000;
const MAX_FAILED_POLLS = 3;

/** Begins, before the start, to wait for the end of a container. */
export interface ExitWatch {
  /** Rejects with TaskFault when the engine is lost. */
  readonly exited: Promise<void>;
  /** Call when the container has been started. */
  started(): void;
  /** Asks at once: something suggests that it has ended. */
  check(): void;
  close(): void;
}

export function watchExit(engine: Engine, container: Dockerode.Container): ExitWatch {
  const abort = new AbortController();
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const exited = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  exited.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  let failedPolls = 0;

  container.wait({ condition: 'next-exit', abortSignal: abort.signal }).then(
    () => settle?.resolve(),
    // The polls decide.
    () => undefined,
  );

  async function poll(): Promise<void> {
    try {
      const { State } = await engine.call('inspect the container', async (abortSignal) =>
        container.inspect({ abortSignal }),
      );
      failedPolls = 0;
      if (!State.Running && State.Status !== 'created') settle?.resolve();
    } catch (error) {
      if (++failedPolls < MAX_FAILED_POLLS) return;
      const message = `the Docker engine was lost while the container ran: ${messageOf(error)}`;
      settle?.reject(new TaskFault(taskError('sandbox_failed', message, { retryable: true })));
    }
  }

  return {
    exited,
    started() {
      timer = setInterval(() => void poll(), POLL_MS);
    },
    check: () => void poll(),
    close() {
      clearInterval(timer);
      abort.abort();
    },
  };
}
