import type { Cadence } from '@lattice/contracts';
import { Cron } from 'croner';

type CronCadence = Extract<Cadence, { kind: 'cron' }>;

/** Patterns kept parsed. */
const KEPT = 500;
const patterns = new Map<string, Cron>();

/** What is wrong with a pattern; undefined when it is right. `?` means the time at which it is read, so it can't be stored. */
export function faultOfPattern(cron: string): string | undefined {
  if (cron.includes('?')) return '"?" has no meaning here; write *';
  // Croner takes a date as well, and seven fields with years.
  if (!cron.startsWith('@') && ![5, 6].includes(cron.trim().split(/\s+/).length)) {
    return `"${cron}" has ${cron.trim() === '' ? 'no' : cron.trim().split(/\s+/).length} fields; there must be five, or six with seconds first`;
  }
  try {
    const ever = open({ cron, timezone: 'UTC' }).nextRun(new Date(0));
    return ever === null ? `"${cron}" names a day that never comes` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
  }
}

/** True when the text is the name of a time zone. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

export function nextOfCron(cadence: CronCadence, after: number): number | undefined {
  return patternOf(cadence).nextRun(new Date(after))?.getTime();
}

/** Going back from `until` goes on for centuries where ticks are rare, so it is done only when there are many. */
export function newestOfCron(
  cadence: CronCadence,
  { after, until, limit }: { after: number; until: number; limit: number },
): number[] {
  const ticks: number[] = [];
  for (
    let tick = nextOfCron(cadence, after);
    tick !== undefined && tick <= until && ticks.length <= limit;
    tick = nextOfCron(cadence, tick)
  ) {
    ticks.push(tick);
  }
  if (ticks.length <= limit) return ticks;
  // What Croner goes back from is not included.
  const newest = patternOf(cadence).previousRuns(limit, new Date(until + 1));
  return newest.map((date) => date.getTime()).reverse();
}

export function countCron(
  cadence: CronCadence,
  { after, before, limit }: { after: number; before: number; limit: number },
): number {
  let count = 0;
  for (
    let tick = nextOfCron(cadence, after);
    tick !== undefined && tick < before && count < limit;
    tick = nextOfCron(cadence, tick)
  ) {
    count += 1;
  }
  return count;
}

function patternOf(cadence: CronCadence): Cron {
  const key = `${cadence.timezone} ${cadence.cron}`;
  const known = patterns.get(key);
  if (known !== undefined) return known;
  const pattern = open(cadence);
  patterns.set(key, pattern);
  const oldest = patterns.keys().next();
  if (patterns.size > KEPT && !oldest.done) patterns.delete(oldest.value);
  return pattern;
}

/**
 * Paused, so that Croner sets no timer. By `no-wildcard` a pattern that names its hours and minutes (also as lists) is a time of
 * day: once a day where clocks are put back, and right after the gap where they are put forward. Others follow the clock.
 */
function open({ cron, timezone }: Pick<CronCadence, 'cron' | 'timezone'>): Cron {
  return new Cron(cron, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true });
}
