import { EVENTS, type EventType, type RunEvent, type TaskError } from '@lattice/contracts';
import type { z } from 'zod';
import { misfit } from './request';

/** How a task of a run ended. */
export type TaskResult = { readonly taskKey: string; readonly attempt: number | null; readonly at: string } & (
  | { readonly status: 'completed'; readonly output: unknown }
  | { readonly status: 'failed'; readonly error: TaskError }
  | { readonly status: 'skipped' | 'cancelled'; readonly reason: string }
);

/** The ends of tasks among events, in their order. `outputOf` is asked for an output that is too large for its event. */
export async function* resultsOf(
  events: AsyncIterable<RunEvent>,
  options: { url: string; outputOf: (taskKey: string) => Promise<unknown> },
): AsyncGenerator<TaskResult, void, undefined> {
  for await (const event of events) {
    const { taskKey, attempt, at } = event;
    if (taskKey === null) continue;
    const about = { taskKey, attempt, at };
    switch (event.type) {
      case 'task.completed': {
        const { output } = read('task.completed', event, options.url);
        yield { ...about, status: 'completed', output: output ?? (await options.outputOf(taskKey)) };
        break;
      }
      case 'task.failed':
        yield { ...about, status: 'failed', ...read('task.failed', event, options.url) };
        break;
      case 'task.skipped':
        yield { ...about, status: 'skipped', ...read('task.skipped', event, options.url) };
        break;
      case 'task.cancelled':
        yield { ...about, status: 'cancelled', ...read('task.cancelled', event, options.url) };
        break;
      default:
    }
  }
}

function read<T extends EventType>(type: T, event: RunEvent, url: string): z.output<(typeof EVENTS)[T]>;
function read(type: EventType, event: RunEvent, url: string): unknown {
  const parsed = EVENTS[type].safeParse(event.data);
  if (parsed.success) return parsed.data;
  throw misfit(url, 200, `event ${event.id} of the type ${type} has another shape`);
}
