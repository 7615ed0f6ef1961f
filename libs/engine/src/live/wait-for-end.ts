import { isFinalEvent, isFinalRun } from '@lattice/contracts';
import { getRunState } from '@lattice/persistence';
import type { Engine } from '../context';
import type { Attach } from './listener';

export interface WaitOptions {
  /** Ends the waiting early. */
  signal?: AbortSignal | undefined;
}

/** Waits as LiveHub.waitForEnd says. Listens first and looks then, so that no end falls between the two. */
export async function waitForEnd(
  engine: Engine,
  attach: Attach,
  options: WaitOptions & {
    runId: string;
    timeoutMs: number;
    /** True when the run has not ended for sure, and its end will be told. */
    goesOn: () => boolean;
  },
): Promise<void> {
  const { runId, timeoutMs, signal, goesOn } = options;
  const until = Date.now() + timeoutMs;
  let wake: () => void = () => undefined;
  let over = false;
  const finish = () => {
    over = true;
    wake();
  };
  const detach = await attach(runId, {
    deliver: (event) => {
      if (isFinalEvent(event.type)) finish();
    },
    check: () => wake(),
    stop: finish,
  });
  signal?.addEventListener('abort', finish);
  try {
    // The flag is changed by the callbacks above.
    const isOver = () => over || signal?.aborted === true || Date.now() >= until;
    while (!isOver()) {
      // Made before the read: a `check` during the read must not be lost.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!goesOn()) {
        const state = await getRunState(engine.db, runId);
        if (state === undefined || isFinalRun(state.status) || isOver()) return;
      }
      await sleepUntil(until, woken);
    }
  } finally {
    signal?.removeEventListener('abort', finish);
    detach();
  }
}

async function sleepUntil(until: number, woken: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, until - Date.now()));
  });
  await Promise.race([woken, late]);
  clearTimeout(timer);
}
