import { parseDuration } from '@lattice/contracts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const WHOLE = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;

/** A duration of Go, such as 1h30m, as one of ours; undefined when it is none, or too long. */
export function durationOf(text: string): string | undefined {
  if (parseDuration(text) !== undefined) return text;
  if (text.length > 100 || !WHOLE.test(text)) return undefined;
  const parts = [...text.matchAll(PART)].map(([, amount = '', unit = '']) => Number(amount) * (UNITS[unit] ?? 0));
  const ms = Math.round(parts.reduce((sum, part) => sum + part, 0));
  const [unit, size] = Object.entries({ h: 3_600_000, m: 60_000, s: 1_000 }).find(
    ([, each]) => ms % each === 0 && ms > 0,
  ) ?? ['ms', 1];
  const written = `${ms / size}${unit}`;
  return parseDuration(written) === undefined ? undefined : written;
}

/** A number of seconds as a duration. */
export function secondsOf(count: number): string {
  return Number.isInteger(count) ? `${count}s` : `${Math.max(1, Math.round(count * 1_000))}ms`;
}
