import type { PathStep } from '@lattice/contracts';

/** What of a task decides about the critical path. Times are ISO 8601. */
export interface TimedTask {
  readonly key: string;
  /** Of the last attempt; null for a task that ended without one (skipped, cancelled). */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface PathQuestion {
  readonly tasks: readonly TimedTask[];
  /** Dependencies of a task. */
  readonly needsOf: (key: string) => readonly string[];
  /** Start of the run: what ended before it was taken over from an earlier time and held nothing up. */
  readonly startedAt: string | null;
}

/**
 * The chain of tasks that the end of a run waited for, first to last: the task that ended last, before it the one of its
 * dependencies that ended last, and so on. Tasks that ended without an attempt pass the question on to their dependencies.
 * Durations and waits together are the time from the start of the run to the end of the chain, so never more than elapsed.
 */
export function criticalPath({ tasks, needsOf, startedAt }: PathQuestion): PathStep[] {
  const origin = startedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(startedAt);
  const ends = new Map<string, Ended>();
  for (const task of tasks) {
    const ended = endedOf(task);
    // A task that came to its end before the run began is a result that was there already.
    if (ended !== undefined && ended.start >= origin) ends.set(task.key, ended);
  }
  const chain: Ended[] = [];
  const seen = new Set<string>();
  for (let last = latest(ends.values(), needsOf); last !== undefined;) {
    seen.add(last.key);
    if (last.ran) chain.push(last);
    const before = needsOf(last.key).flatMap((key) => (seen.has(key) ? [] : (ends.get(key) ?? [])));
    // A dependency that ended after its dependent began (a rerun of it alone) did not hold it up.
    const { start } = last;
    last = latest(
      before.filter(({ end }) => end <= start),
      needsOf,
    );
  }
  return stepsOf(chain.reverse(), origin);
}

interface Ended {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly ran: boolean;
}

function endedOf({ key, startedAt, finishedAt }: TimedTask): Ended | undefined {
  if (finishedAt === null) return undefined;
  const end = Date.parse(finishedAt);
  if (startedAt === null) return { key, start: end, end, ran: false };
  return { key, start: Math.min(Date.parse(startedAt), end), end, ran: true };
}

/** The one that ended last. Of several within one millisecond: the one that none of the others waited for. */
function latest(ends: Iterable<Ended>, needsOf: PathQuestion['needsOf']): Ended | undefined {
  let tied: Ended[] = [];
  for (const one of ends) {
    const [first] = tied;
    const order = first === undefined ? 1 : one.end - first.end || one.start - first.start;
    if (order > 0) tied = [one];
    else if (order === 0) tied.push(one);
  }
  let [found] = tied;
  for (let next = found; next !== undefined;) {
    found = next;
    const { key } = next;
    tied = tied.filter((one) => one !== found);
    next = tied.find((one) => needsOf(one.key).includes(key));
  }
  return found;
}

function stepsOf(chain: readonly Ended[], origin: number): PathStep[] {
  return chain.map(({ key, start, end }, index) => {
    const from = chain[index - 1]?.end ?? (Number.isFinite(origin) ? origin : start);
    return {
      key,
      startedAt: new Date(start).toISOString(),
      finishedAt: new Date(end).toISOString(),
      duration: end - start,
      waited: start - from,
    };
  });
}
