import type { ResourceClass } from '@lattice/flow';
import { meetsRules, type Labels } from '../labels';

/** The emptiest worker leaves a task that is to be packed to others for so long, and the fullest one that is to be spread. */
const PLACE_WAIT_MS = 250;

/**
 * Milliseconds for which a worker leaves the tasks of a class to workers that suit them better: none where it meets all that
 * they prefer, the whole wait where it meets nothing, and between in proportion. `used` is the share of the worker that is in
 * use, 0 to 1. Nobody has to know the others for this: the one that suits best simply comes first.
 */
export function reluctanceOf(entry: ResourceClass, labels: Labels, used: number): number {
  return preferenceWait(entry, labels) + placeWait(entry, used);
}

function preferenceWait({ prefer }: ResourceClass, labels: Labels): number {
  if (prefer === undefined) return 0;
  let all = 0;
  let met = 0;
  for (const { runsOn, weight } of prefer.rules) {
    all += weight;
    if (meetsRules(runsOn, labels)) met += weight;
  }
  return Math.round(prefer.waitMs * (1 - met / all));
}

function placeWait({ place }: ResourceClass, used: number): number {
  if (place === undefined) return 0;
  // Small shares are told apart well: on a large machine one task is next to nothing, and an empty machine is to stay that.
  const weight = Math.sqrt(used);
  return Math.round(PLACE_WAIT_MS * (place === 'pack' ? 1 - weight : weight));
}
