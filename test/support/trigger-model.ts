import type { TriggerRule } from '@lattice/contracts';

/** What a model of runs knows of a task that a task waits for. */
interface Before {
  readonly status: string;
  /** It failed, or was skipped because one before it had. */
  readonly bad: boolean;
}

/** Whether a task may run after these: the trigger rules in another way of writing than that of the product. */
export function isTriggered(trigger: TriggerRule, before: readonly (Before | undefined)[]): boolean {
  const completed = before.filter((one) => one?.status === 'completed').length;
  return {
    'all-success': completed === before.length,
    'all-done': true,
    'one-success': completed > 0 || before.length === 0,
    'none-failed': !before.some((one) => one?.bad),
  }[trigger];
}
