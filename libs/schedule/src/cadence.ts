import { SHORTEST_INTERVAL_MS, parseDuration, type Cadence } from '@lattice/contracts';
import { countCron, newestOfCron, nextOfCron } from './cron';

/** The first tick after a moment; undefined when none comes. Times are milliseconds since 1970. */
export function nextTick(cadence: Cadence, after: number): number | undefined {
  switch (cadence.kind) {
    case 'cron':
      return nextOfCron(cadence, after);
    case 'every': {
      const { from, interval } = gridOf(cadence);
      return after < from ? from : from + (Math.floor((after - from) / interval) + 1) * interval;
    }
    case 'at': {
      const at = Date.parse(cadence.at);
      return at > after ? at : undefined;
    }
  }
}

/** The newest ticks after the one moment and not after the other, at most `limit`, oldest first. */
export function newestTicks(
  cadence: Cadence,
  { after, until, limit }: { after: number; until: number; limit: number },
): number[] {
  switch (cadence.kind) {
    case 'cron':
      return newestOfCron(cadence, { after, until, limit });
    case 'every': {
      const { interval } = gridOf(cadence);
      const count = Math.min(limit, countTicks(cadence, { after, before: until + 1, limit: Number.MAX_SAFE_INTEGER }));
      const newest = (nextTick(cadence, until) ?? 0) - interval;
      return Array.from({ length: count }, (_, index) => newest - (count - 1 - index) * interval);
    }
    case 'at': {
      const at = Date.parse(cadence.at);
      return at > after && at <= until ? [at] : [];
    }
  }
}

/** How many ticks lie between two moments, without both; counts up to `limit`, since those of a cron are gone through one by one. */
export function countTicks(
  cadence: Cadence,
  { after, before, limit }: { after: number; before: number; limit: number },
): number {
  switch (cadence.kind) {
    case 'cron':
      return countCron(cadence, { after, before, limit });
    case 'every': {
      const { interval } = gridOf(cadence);
      const first = nextTick(cadence, after) ?? before;
      return first >= before ? 0 : Math.min(limit, Math.ceil((before - first) / interval));
    }
    case 'at': {
      const at = Date.parse(cadence.at);
      return at > after && at < before ? 1 : 0;
    }
  }
}

/** The next ticks after a moment, at most `count`. */
export function nextTicks(cadence: Cadence, after: number, count: number): number[] {
  const ticks: number[] = [];
  for (
    let tick = nextTick(cadence, after);
    tick !== undefined && ticks.length < count;
    tick = nextTick(cadence, tick)
  ) {
    ticks.push(tick);
  }
  return ticks;
}

function gridOf(cadence: Extract<Cadence, { kind: 'every' }>): { from: number; interval: number } {
  return { from: Date.parse(cadence.from), interval: parseDuration(cadence.every) ?? SHORTEST_INTERVAL_MS };
}
