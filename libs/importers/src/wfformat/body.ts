import { fault, type Fault, type TaskDocument } from '@lattice/contracts';
import type { ImportOptions } from '../importer';
import type { WfTask } from './read-file';

const SLEEP = 'export default (ms) => new Promise((done) => setTimeout(done, ms, null))';
/** Above this many milliseconds (24 days) a timer of Node fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a task does: nothing, which holds no worker and starts no process, or a wait of so many milliseconds. */
export function bodyOf(task: WfTask, { body, scale, handler }: ImportOptions): Pick<TaskDocument, 'uses' | 'with'> {
  const ms = body === 'sleep' ? sleepOf(task, scale) : undefined;
  if (handler !== undefined) return { uses: `handler/${handler}`, ...(ms === undefined ? {} : { with: ms }) };
  if (ms === undefined) return { uses: 'transform' };
  return { uses: 'code', with: { language: 'javascript', source: SLEEP, input: ms } };
}

/** Faults of tasks that would wait longer than a timer can. */
export function bodyFaults(tasks: readonly WfTask[], { body, scale }: ImportOptions): Fault[] {
  if (body !== 'sleep') return [];
  return tasks
    .filter((task) => sleepOf(task, scale) > LONGEST_TIMER)
    .map(({ id, pointer, runtimeInSeconds }) =>
      fault(
        'bad_value',
        pointer,
        `task "${id.slice(0, 100)}" would wait ${runtimeInSeconds} s times ${scale}; 24 days are the most`,
        'Give a smaller scale.',
      ),
    );
}

function sleepOf({ runtimeInSeconds }: WfTask, scale: number): number {
  return Math.round((runtimeInSeconds ?? 0) * 1_000 * scale);
}
