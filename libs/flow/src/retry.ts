import { parseDuration, type RetryPolicy, type TaskError } from '@lattice/contracts';

/**
 * Milliseconds until a failed attempt is tried again; undefined when it is not. `attempt` counts from 1, without the
 * attempts whose worker was lost; `random` is between 0 and 1. No policy means one attempt.
 */
export function nextDelay(
  policy: RetryPolicy | undefined,
  attempt: number,
  error: TaskError,
  random: number,
): number | undefined {
  if (policy === undefined || attempt >= policy.maxAttempts || !mayRetry(policy, error)) return undefined;
  const first = parseDuration(policy.initialDelay) ?? 0;
  const longest = parseDuration(policy.maxDelay) ?? 0;
  const delay = Math.min(first * policy.factor ** (attempt - 1), longest);
  const share = policy.jitter === true ? 0.5 : policy.jitter === false ? 0 : policy.jitter;
  return Math.round(delay * (1 - share * random));
}

function mayRetry(policy: RetryPolicy, error: TaskError): boolean {
  const { exitCode, code, name } = error.details ?? {};
  // What the task itself threw: its `code`, as Node's errors have one, or the name of its class, as in Python.
  const texts = [error.code, code, name];
  const matches = (rule: string | number): boolean =>
    typeof rule === 'number' ? rule === exitCode : texts.includes(rule);
  if (policy.ignore?.some(matches) === true) return false;
  return policy.retryOn === undefined ? error.retryable : policy.retryOn.some(matches);
}
