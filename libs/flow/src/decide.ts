import type { FinalTaskStatus, TriggerRule } from '@lattice/contracts';

/** How a dependency ended, as the gate sees it. `reason` is that of a skip. */
export interface Ended {
  readonly key: string;
  readonly status: FinalTaskStatus;
  readonly reason?: string | undefined;
}

/** What the gate says of a task: run it, ask its condition, or skip it. */
export type Decision =
  { readonly do: 'run' } | { readonly do: 'ask' } | { readonly do: 'skip'; readonly reason: string };

interface Guard {
  readonly trigger: TriggerRule;
  /** The task has a condition. */
  readonly conditional: boolean;
  /** The condition asks for the status of a dependency, so that it decides about skips and failures itself. */
  readonly asksStatus: boolean;
}

/** Decides whether a task runs, from how its dependencies ended (all have). Skips pass on unless the condition says otherwise. */
export function decide(guard: Guard, ended: readonly Ended[]): Decision {
  const met = isMet(guard.trigger, ended);
  if (guard.conditional && (met || guard.asksStatus)) return { do: 'ask' };
  return met ? { do: 'run' } : { do: 'skip', reason: skipReason(ended) };
}

function isMet(trigger: TriggerRule, ended: readonly Ended[]): boolean {
  switch (trigger) {
    case 'all-success':
      return ended.every(({ status }) => status === 'completed');
    case 'all-done':
      return true;
    case 'one-success':
      return ended.length === 0 || ended.some(({ status }) => status === 'completed');
    case 'none-failed':
      return ended.every((task) => !hasFailed(task));
  }
}

/** A task that was skipped because of a failure carries the failure on. */
function hasFailed({ status, reason }: Ended): boolean {
  return status === 'failed' || status === 'cancelled' || (status === 'skipped' && reason === 'dependency_failed');
}

function skipReason(ended: readonly Ended[]): string {
  return ended.some(hasFailed) ? 'dependency_failed' : 'dependency_skipped';
}
