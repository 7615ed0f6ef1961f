import type { Env } from './home';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds after which a worker that was told to stop is killed. It ends itself 5 s before (`stopLimitOf` of the engine): when what
 * it has under way was given all of LATTICE_DRAIN, and the LATTICE_GRACE of what is then stopped. What is no duration the worker refuses itself.
 */
export function workerStopMs(env: Env): number {
  const drain = durationOf(env['LATTICE_DRAIN']) ?? 8_000;
  const grace = durationOf(env['LATTICE_GRACE']) ?? 1_000;
  return Math.max(20_000, drain + grace + 10_000) + 5_000;
}

/** As `parseDuration` of contracts, which can't be had here. */
function durationOf(text: string | undefined): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text ?? '') ?? [];
  const factor = unitMs[unit];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
