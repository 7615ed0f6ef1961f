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
  /** The task is in an arm of a switch: whether that was taken is to be asked. */
  readonly inArm?: boolean;
  /** For each switch whose arms come together here: the dependencies that lie in its arms. */
  readonly joins?: readonly (readonly string[])[];
}

/** Why tasks of an arm that a switch did not take are skipped. */
export const NOT_TAKEN = 'branch_not_taken';

/** Decides whether a task runs, from how its dependencies ended (all have). Skips pass on unless the condition says otherwise. */
export function decide(guard: Guard, ended: readonly Ended[]): Decision {
  const met = isMet(guard.trigger, withoutUntaken(guard.joins ?? [], ended));
  if (guard.conditional && (met || guard.asksStatus)) return { do: 'ask' };
  if (met && guard.inArm === true) return { do: 'ask' };
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

/** Where the arms of a switch come together, those not taken do not count, if one that was taken completed. */
function withoutUntaken(joins: readonly (readonly string[])[], ended: readonly Ended[]): readonly Ended[] {
  let counted = ended;
  for (const join of joins) {
    const inArms = counted.filter(({ key }) => join.includes(key));
    if (inArms.some(({ status }) => status === 'completed'))
      counted = counted.filter((task) => !(join.includes(task.key) && isUntaken(task)));
  }
  return counted;
}

function isUntaken({ status, reason }: Ended): boolean {
  return status === 'skipped' && reason === NOT_TAKEN;
}

function skipReason(ended: readonly Ended[]): string {
  if (ended.some(hasFailed)) return 'dependency_failed';
  const skipped = ended.filter(({ status }) => status === 'skipped');
  return skipped.length > 0 && skipped.every(isUntaken) ? NOT_TAKEN : 'dependency_skipped';
}
