import { z } from 'zod';

const UNITS = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
} as const;
const PATTERN = /^(\d+(?:\.\d+)?)\s?(|k|M|G|T|kB|MB|GB|Ki|Mi|Gi|Ti)$/;

function isUnit(text: string): text is keyof typeof UNITS {
  return text in UNITS;
}

/** Bytes of a size such as `512Mi`, `2Gi`, `800MB` or a plain number of bytes; undefined when it is none. */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const [, amount, unit] = PATTERN.exec(value) ?? [];
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined;
  return Math.round(Number(amount) * UNITS[unit]);
}

/** An amount of memory: a number of bytes or a string such as `512Mi`, `2Gi`. */
export const sizeSchema = z.union([z.string(), z.number()]).refine((value) => parseSize(value) !== undefined, {
  message: 'not a size: write bytes as a number, or a string such as 512Mi or 2Gi',
  params: { code: 'bad_size' },
});
