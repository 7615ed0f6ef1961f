import type { TaskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import type { Engine } from './engine';
import { memoryUseOf, Starvation } from './memory-use';

/** Engines measure once in a second: the first answer is quick, the next ones come when there is something new. */
const LOOK_MS = 1_000;
const CALL_MS = 10_000;
/** What is starved for so long without hope is ended. */
const ENOUGH_MS = 2_500;
/** What is starved for so long when its time is over had too little memory, not too little time. */
const TELLING_MS = 900;
/** What was measured longer ago does not say why time is over now. */
const FRESH_MS = 3_000;

export interface MemoryWatch {
  /** What stands in the way of the container now; undefined when that is not memory. */
  starving: (timeoutMs: number) => TaskError | undefined;
  close(): void;
}

/** Calls `onStarved` once when the container can't go on for lack of memory, though the kernel does not end it. */
export function watchMemory(options: {
  engine: Engine;
  container: Dockerode.Container;
  /** Without one there is nothing to watch. */
  limitBytes: number | undefined;
  onStarved: (error: TaskError) => void;
}): MemoryWatch {
  const { engine, container, limitBytes, onStarved } = options;
  if (limitBytes === undefined) return { starving: () => undefined, close: () => undefined };
  const starvation = new Starvation({ limitBytes, hopeless: false });
  const hopeless = new Starvation({ limitBytes, hopeless: true });
  const abort = new AbortController();
  let seenAt = 0;
  let timer = setTimeout(() => void look(), LOOK_MS);

  async function look(): Promise<void> {
    const stats = await statsOf(engine, container, abort.signal);
    if (abort.signal.aborted) return;
    const use = memoryUseOf(stats);
    if (use !== undefined) {
      for (const one of [starvation, hopeless]) one.see(use);
      seenAt = performance.now();
    }
    const error = hopeless.errorAfter(ENOUGH_MS);
    if (error !== undefined) return onStarved(error);
    timer = setTimeout(() => void look(), LOOK_MS);
  }

  return {
    starving: (timeoutMs) =>
      performance.now() - seenAt > FRESH_MS ? undefined : starvation.errorAfter(TELLING_MS, { timeoutMs }),
    close() {
      abort.abort();
      clearTimeout(timer);
    },
  };
}

/** Undefined when the engine has no answer: whether it is lost, others look after. */
async function statsOf(engine: Engine, container: Dockerode.Container, left: AbortSignal): Promise<unknown> {
  return engine
    .call(
      'measure the container',
      async (late): Promise<unknown> => {
        const once = { stream: false, 'one-shot': true, abortSignal: AbortSignal.any([late, left]) } as const;
        return container.stats(once);
      },
      CALL_MS,
    )
    .catch(() => undefined);
}
