import { setTimeout as delay } from 'node:timers/promises';
import type { Acknowledged, Submission } from './client';
import type { World } from './world';
import { diamond, diamondRun, noteOutside } from './workflows';

/** Saves the workflows that `diamondRun` names. */
export async function saveDiamonds(world: World): Promise<void> {
  await world.client.save(diamond('diamond'));
  await world.client.save(diamond('diamond-outside', (value) => noteOutside(world.ledger, value)));
}

/**
 * Submits `count` runs over about `overMs`, several calls at a time; later when answers come late. Resolves when all are
 * acknowledged.
 */
export async function submitAll(
  world: World,
  options: { count: number; overMs: number; make?: (n: number) => Submission; on?: (run: Acknowledged) => void },
): Promise<Acknowledged[]> {
  const { count, overMs, make = diamondRun, on } = options;
  const runs: Acknowledged[] = [];
  const start = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      const early = start + (overMs * n) / count - performance.now();
      if (early > 0) await delay(early);
      const run = await world.client.submit(make(n));
      runs.push(run);
      on?.(run);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return runs;
}

/** Does something again and again until it is told to stop; `done` resolves when the last turn is over. */
export function keepOn(turn: () => Promise<void>): { stop: () => Promise<void> } {
  let over = false;
  const turns = async (): Promise<void> => {
    while (!over) await turn();
  };
  const ended = turns();
  return {
    stop: async () => {
      over = true;
      await ended;
    },
  };
}
