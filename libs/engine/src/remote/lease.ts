import { z } from 'zod';

/** Whose job an attempt is part of: enough for another process to go on with it while its lock stands. */
export interface Lease {
  readonly className: string;
  readonly jobId: string;
  /** The value of the job's lock. */
  readonly token: string;
}

const leaseSchema = z.tuple([z.string(), z.string(), z.string()]);

export function writeLease({ className, jobId, token }: Lease): string {
  return JSON.stringify([className, jobId, token]);
}

/** Undefined for a text that is no lease. */
export function readLease(text: string): Lease | undefined {
  try {
    const [className, jobId, token] = leaseSchema.parse(JSON.parse(text));
    return { className, jobId, token };
  } catch {
    return undefined;
  }
}
