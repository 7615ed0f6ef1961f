import { retrySchema } from '@lattice/contracts';
import type { Step } from './read-steps';

/** What a step says of being tried again; a policy goes before the others, and of those the first that is there. */
export const RETRY_FIELDS = ['retry_policy', 'max_retries', 'retries', 'retry_count', 'retry_delay'] as const;
const COUNTS = ['max_retries', 'retries', 'retry_count'] as const;

interface Retry {
  readonly retry: object | undefined;
  readonly notes: readonly string[];
}

/** The policy of a step, and what of it has no counterpart. */
export function retryOf(step: Step): Retry {
  const { retry_policy, retry_delay } = step;
  const given = RETRY_FIELDS.filter((field) => step[field] !== undefined && step[field] !== null);
  if (retry_policy !== undefined && retry_policy !== null) {
    const beside = given.filter((field) => field !== 'retry_policy');
    const { retry, notes } = retryOfPolicy(retry_policy);
    return { retry, notes: [...notes, ...leftOut(beside, 'for there is a retry_policy')] };
  }
  const [counted, ...others] = COUNTS.filter((field) => given.includes(field));
  const retries = counted === undefined ? 0 : (step[counted] ?? 0);
  const notes = leftOut(others, `for there is ${counted}`);
  if (retries === 0) {
    const delay = given.filter((field) => field === 'retry_delay');
    return { retry: undefined, notes: [...notes, ...leftOut(delay, 'for it is not tried again')] };
  }
  const delay = retry_delay === undefined || retry_delay === null ? {} : { initialDelay: seconds(retry_delay) };
  return { retry: { maxAttempts: Math.min(retries + 1, 100), ...delay }, notes };
}

function retryOfPolicy(policy: NonNullable<Step['retry_policy']>): Retry {
  const { max_attempts, initial_delay, max_delay, exponential_base, jitter, retry_on, ...others } = policy;
  const random = retrySchema.shape.jitter.safeParse(jitter ?? undefined);
  const codes = retrySchema.shape.retryOn.safeParse(retry_on ?? undefined);
  const unfit = [...(random.success ? [] : ['jitter']), ...(codes.success ? [] : ['retry_on'])];
  const notes = leftOut([...Object.keys(others), ...unfit], 'of its retry_policy, for nothing here is that');
  if (codes.data !== undefined && codes.data.length > 0)
    notes.push(
      `it is tried again on ${codes.data.join(', ').slice(0, 200)}: its handler has to fail with such codes or classes.`,
    );
  return {
    retry: {
      maxAttempts: max_attempts ?? 3,
      ...(initial_delay === undefined ? {} : { initialDelay: seconds(initial_delay) }),
      ...(exponential_base === undefined ? {} : { factor: exponential_base }),
      ...(max_delay === undefined ? {} : { maxDelay: seconds(max_delay) }),
      ...(jitter === undefined || jitter === null || !random.success ? {} : { jitter: random.data }),
      ...(codes.data === undefined ? {} : { retryOn: codes.data }),
    },
    notes,
  };
}

function leftOut(fields: readonly string[], why: string): string[] {
  return fields.length === 0 ? [] : [`not carried over: ${fields.join(', ').slice(0, 200)}, ${why}.`];
}

export function seconds(count: number): string {
  return Number.isInteger(count) ? `${count}s` : `${Math.max(1, Math.round(count * 1_000))}ms`;
}
