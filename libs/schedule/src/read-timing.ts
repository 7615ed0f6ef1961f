import { SHORTEST_INTERVAL_MS, fault, parseDuration, type Cadence, type Fault } from '@lattice/contracts';
import { faultOfPattern, isTimeZone } from './cron';

/** The fields of a body that say when; each has passed its schema. */
export interface Timing {
  readonly cron?: string | undefined;
  readonly timezone?: string | undefined;
  readonly every?: string | undefined;
  readonly startAt?: string | undefined;
  readonly at?: string | undefined;
}

export type ReadTiming =
  { readonly ok: true; readonly cadence: Cadence } | { readonly ok: false; readonly faults: Fault[] };

/** The cadence that the fields of a body mean, or all their faults. An interval without `startAt` counts from `now` (ms). */
export function readTiming(timing: Timing, now: number): ReadTiming {
  const faults = [...choiceFaults(timing), ...cronFaults(timing), ...intervalFaults(timing)];
  if (faults.length > 0) return { ok: false, faults };
  const { cron, timezone = 'UTC', every, startAt, at } = timing;
  if (cron !== undefined) return { ok: true, cadence: { kind: 'cron', cron: cron.trim(), timezone } };
  if (every !== undefined) {
    const start = startAt === undefined ? {} : { startAt: iso(Date.parse(startAt)) };
    return { ok: true, cadence: { kind: 'every', every, from: start.startAt ?? iso(now), ...start } };
  }
  return { ok: true, cadence: { kind: 'at', at: iso(Date.parse(at ?? '')) } };
}

function choiceFaults({ cron, timezone, every, startAt, at }: Timing): Fault[] {
  const faults: Fault[] = [];
  const given = Object.entries({ cron, every, at }).filter(([, value]) => value !== undefined);
  if (given.length === 0) {
    faults.push(fault('missing_field', '/cron', 'one of "cron", "every" and "at" must say when'));
  }
  for (const [name] of given.slice(1)) {
    faults.push(
      fault('bad_value', `/${name}`, `"${name}" can't go with "${given[0]?.[0]}": give one of cron, every, at`),
    );
  }
  if (timezone !== undefined && cron === undefined && given.length > 0) {
    faults.push(fault('bad_value', '/timezone', 'a time zone goes with "cron" alone'));
  }
  if (startAt !== undefined && every === undefined && given.length > 0) {
    faults.push(fault('bad_value', '/startAt', '"startAt" goes with "every" alone'));
  }
  return faults;
}

function cronFaults({ cron, timezone }: Timing): Fault[] {
  const faults: Fault[] = [];
  const wrong = cron === undefined ? undefined : faultOfPattern(cron);
  if (wrong !== undefined) faults.push(fault('bad_cron', '/cron', wrong));
  if (timezone !== undefined && !isTimeZone(timezone)) {
    faults.push(fault('bad_time_zone', '/timezone', `"${timezone}" is no time zone`));
  }
  return faults;
}

function intervalFaults({ every }: Timing): Fault[] {
  const interval = every === undefined ? undefined : parseDuration(every);
  if (interval === undefined || interval >= SHORTEST_INTERVAL_MS) return [];
  return [fault('bad_value', '/every', 'the shortest interval is 1s')];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
