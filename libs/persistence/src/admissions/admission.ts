/** What limits the runs of one limiter. `fair` counts runs that were let in and of which nothing has begun. */
export const LIMITER_KINDS = ['concurrency', 'rate', 'fair'] as const;
export type LimiterKind = (typeof LIMITER_KINDS)[number];

/** What a run does when its concurrency limit is reached. */
export type AdmissionPolicy = 'queue' | 'cancel-running' | 'reject';

/** The limiters of a run, each by its name: equal names share their room. */
export interface RunLimiters {
  readonly concurrency?:
    { readonly name: string; readonly limit: number; readonly policy: AdmissionPolicy } | undefined;
  /** At most `limit` starts in any `perMs` milliseconds. */
  readonly rate?: { readonly name: string; readonly limit: number; readonly perMs: number } | undefined;
  readonly fair?: { readonly name: string; readonly limit: number } | undefined;
}

/** The limiter that a run waits for, and why in words. */
export interface Obstacle {
  readonly name: string;
  readonly reason: string;
}

/** A run that comes to its limiters. */
export interface NewAdmission {
  readonly runId: string;
  readonly epoch: number;
  /** Of the outbox row that sends the run. `run` comes once; others let the run wait anew when its epoch is higher. */
  readonly kind: string;
  /** Of that row: an object or nothing. The row of an admitted run has `admitted: true` in it. */
  readonly payload: unknown;
  readonly priority: number;
  readonly limiters: RunLimiters;
  readonly waitingOn: Obstacle;
}

/** The columns of the limiters, in the order in which statements take them. */
export function limiterColumns({ concurrency, rate, fair }: RunLimiters): {
  concurrency: [string | null, number | null];
  rate: [string | null, number | null, number | null];
  fair: [string | null, number | null];
} {
  return {
    concurrency: [concurrency?.name ?? null, concurrency?.limit ?? null],
    rate: [rate?.name ?? null, rate?.limit ?? null, rate?.perMs ?? null],
    fair: [fair?.name ?? null, fair?.limit ?? null],
  };
}
