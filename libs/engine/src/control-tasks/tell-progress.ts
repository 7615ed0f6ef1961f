import { appendEvent } from '@lattice/queue';
import type { Runtime } from '../runtime';
import type { Step } from './step';

/** A task tells its progress no more often than so; whoever looks sees it move. */
const EVERY_MS = 500;

interface Told {
  readonly at: number;
  readonly done: number;
}

/** What was last said of the tasks of a process; kept by time, so that it stays small. */
const told = new WeakMap<Runtime, Map<string, Told>>();
const MOST = 1_000;

/** Says how many items of a task are done, as its progress. Best effort: the next step says it again. */
export function tellProgress({ runtime, attempt }: Step, done: number, of: number): void {
  const { run, task } = attempt;
  const known = told.get(runtime) ?? new Map<string, Told>();
  told.set(runtime, known);
  const name = `${run.runId}.${task.key}.${attempt.attempt}`;
  const last = known.get(name);
  const now = Date.now();
  if (done === 0 || done === last?.done || (last !== undefined && now - last.at < EVERY_MS)) return;
  known.delete(name);
  known.set(name, { at: now, done });
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  const address = { runId: run.runId, epoch: run.epoch, taskKey: task.key, attempt: attempt.attempt };
  const json = JSON.stringify({ percent: (100 * done) / of, text: `${done} of ${of}` });
  appendEvent(runtime.queue, { ...address, type: 'task.progress', json, at: now }).catch((error: unknown) =>
    runtime.log.warn({ err: error, ...address }, 'a progress event was lost'),
  );
}
