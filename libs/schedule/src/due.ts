import { CATCH_UP_LIMIT, ON_TIME_MS, type Cadence, type CatchUp } from '@lattice/contracts';
import { countTicks, newestTicks } from './cadence';

/** A catch-up counts so many missed ticks of a cron and no more: each costs some 60 microseconds. */
const COUNTED = 1_000;

/** What is due of a schedule. */
export interface Due {
  /** Ticks to be fired, oldest first. */
  readonly fire: readonly number[];
  /** Ticks that were missed and are not fired. */
  readonly missed: number;
  /** All ticks up to this moment are dealt with once these are fired. */
  readonly handledUntil: number;
}

export interface DueOptions {
  readonly cadence: Cadence;
  readonly catchUp: CatchUp;
  /** All ticks up to this moment were dealt with before. */
  readonly handledUntil: number;
  readonly now: number;
  /** Of ticks fired at a time: when there are more, the rest is due still. */
  readonly limit: number;
}

/**
 * What is to be done about the ticks after `handledUntil` and up to now. Those that are on time are fired whatever the policy;
 * of the late ones `skip` fires none, `last` the newest unless one on time stands for it, `all` the newest hundred.
 */
export function dueTicks({ cadence, catchUp, handledUntil, now, limit }: DueOptions): Due {
  const newest = newestTicks(cadence, { after: handledUntil, until: now, limit: CATCH_UP_LIMIT });
  const last = newest.at(-1);
  if (last === undefined) return { fire: [], missed: 0, handledUntil };
  const wanted = choose(newest, catchUp, now - ON_TIME_MS);
  const missed = countTicks(cadence, { after: handledUntil, before: wanted[0] ?? last + 1, limit: COUNTED });
  const fire = wanted.slice(0, limit);
  return { fire, missed, handledUntil: fire.length < wanted.length ? (fire.at(-1) ?? handledUntil) : last };
}

function choose(ticks: readonly number[], catchUp: CatchUp, onTimeFrom: number): readonly number[] {
  const onTime = ticks.filter((tick) => tick >= onTimeFrom);
  switch (catchUp) {
    case 'skip':
      return onTime;
    case 'last':
      return onTime.length > 0 ? onTime : ticks.slice(-1);
    case 'all':
      return ticks;
  }
}
