import { z } from 'zod';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
/** The longest duration a document may hold: ten years. Above it timers overflow and a typo is more likely than a wish. */
const LONGEST_MS = 3_650 * UNITS.d;

function isUnit(text: string): text is keyof typeof UNITS {
  return text in UNITS;
}

/** Milliseconds of a duration such as `500ms`, `1.5s`, `30s`, `5m`, `2h`, `7d`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = PATTERN.exec(text);
  const [, amount, unit] = match ?? [];
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined;
  const ms = Math.round(Number(amount) * UNITS[unit]);
  return ms <= LONGEST_MS ? ms : undefined;
}

/** A duration string of the contract. Parsing keeps the string; use {@link parseDuration} for milliseconds. */
export const durationSchema = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, {
    message: 'not a duration: write a number and a unit, for instance 500ms, 30s, 5m, 2h or 7d',
    params: { code: 'bad_duration' },
  })
  .meta({ pattern: PATTERN.source, examples: ['500ms', '30s', '5m'] });
