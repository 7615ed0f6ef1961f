import { EVENTS, type TaskView } from '@lattice/contracts';
import { z } from 'zod';

/** The events that tell what tasks of a run wait for, oldest first; null for a run that does not wait. */
export const waitsColumn = z.array(z.object({ at: z.number(), data: EVENTS['run.waiting'] })).nullable();

/** The tasks, with what those wait for that wait for a signal. */
export function withWaits(tasks: TaskView[], waits: z.infer<typeof waitsColumn>): TaskView[] {
  if (waits === null) return tasks;
  // The last one of a task counts; of an earlier attempt it says nothing.
  const last = new Map(waits.map((wait) => [wait.data.task, wait]));
  return tasks.map((task) => {
    const wait = last.get(task.key);
    if (wait?.data.signal === undefined || task.status !== 'running' || task.startedAt === null) return task;
    if (wait.at < Date.parse(task.startedAt)) return task;
    const { signal, message } = wait.data;
    return { ...task, waitsFor: { signal, ...(message === undefined ? {} : { message }) } };
  });
}
