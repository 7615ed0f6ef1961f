import { isTaskKey } from '@lattice/contracts';

const LONGEST_KEY = 63;
/** Of an id that is too long the end is kept too: that is where ids of one kind differ. */
const KEPT_END = 22;
/** Leaves room for `_` and five digits, more than there can be tasks. */
const LONGEST_STEM = LONGEST_KEY - 6;

/**
 * A task key for each id, all different. Ids that are task keys stay as they are, wherever they stand; the others are made
 * legal, and numbered where that makes them collide. The same ids in the same order always give the same keys.
 */
export function taskKeysOf(ids: readonly string[]): string[] {
  const taken = new Set(ids.filter(isTaskKey));
  // One count per stem, so that many equal ones cost no search from the start.
  const counts = new Map<string, number>();
  return ids.map((id) => {
    if (isTaskKey(id)) return id;
    const key = free(legal(id), taken, counts);
    taken.add(key);
    return key;
  });
}

function legal(id: string): string {
  const plain = id.replace(/[^A-Za-z0-9_]/g, '_');
  const begun = /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
  const short =
    begun.length <= LONGEST_KEY ? begun : `${begun.slice(0, LONGEST_KEY - KEPT_END - 1)}_${begun.slice(-KEPT_END)}`;
  // What is no task key by now is a word of CEL, or __proto__.
  return isTaskKey(short) ? short : `${short}_`;
}

function free(key: string, taken: ReadonlySet<string>, counts: Map<string, number>): string {
  if (!taken.has(key)) return key;
  const stem = key.slice(0, LONGEST_STEM);
  for (let number = counts.get(stem) ?? 2; ; number += 1) {
    const candidate = `${stem}_${number}`;
    if (taken.has(candidate)) continue;
    counts.set(stem, number + 1);
    return candidate;
  }
}
