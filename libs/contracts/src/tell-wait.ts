import type { TaskView } from './api';

/** What a task waits for, in words: `waits for an approval: Publish it?`; undefined for one that waits for no signal. */
export function tellWait({ key, waitsFor }: Pick<TaskView, 'key' | 'waitsFor'>): string | undefined {
  if (waitsFor === undefined) return undefined;
  // An approval is a signal named like the task that asks for it.
  if (waitsFor.signal !== key) return `waits for a signal: ${waitsFor.signal}`;
  return `waits for an approval${waitsFor.message === undefined ? '' : `: ${waitsFor.message}`}`;
}
