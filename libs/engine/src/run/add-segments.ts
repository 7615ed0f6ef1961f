import {
  announceClasses,
  isRootGone,
  markQueued,
  readHead,
  tellReady as tellOfJobs,
  type FlowRun,
} from '@lattice/queue';
import type { Runtime } from '../runtime';
import type { Compiled } from './plans';
import { startQueueTimers } from './queue-timers';
import { queuedTask } from './queued';

/** Tells that the tasks of segments are queued, adds the segments to BullMQ, and tells the workers. */
export async function addSegments(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  segments: readonly number[],
): Promise<void> {
  await startQueueTimers(runtime, run, compiled, readyOf(compiled, segments));
  await addTold(runtime, run, compiled, { segments, adding: (part) => markReady(runtime, run, compiled, part) });
}

/** {@link addSegments} of tasks of which it was told already, or is told by `adding`, part by part. */
export async function addTold(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  { segments, adding }: { segments: readonly number[]; adding?: (part: readonly number[]) => Promise<void> },
): Promise<void> {
  await announceClasses(runtime.queue, Object.values(compiled.plan.classes));
  const begun = (): void => tellReady(runtime, compiled, segments);
  try {
    await runtime.flows.addSegments(run, compiled.plan, segments, {
      begun,
      ...(adding === undefined ? {} : { adding }),
    });
  } catch (error) {
    if (isRootGone(error) && (await isOver(runtime, run))) return;
    throw error;
  }
  tellReady(runtime, compiled, segments);
}

/** Somebody else has added what was to be added here, and the run has ended since: as after a worker was cut off behind a record of its own. */
async function isOver(runtime: Runtime, { runId, epoch }: FlowRun): Promise<boolean> {
  const head = await readHead(runtime.queue, runId);
  return head === undefined || head.epoch !== epoch || head.state === 'final';
}

/** Writes task.queued, and makes the classes known, before the jobs are there to be taken. */
export async function tellQueued(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  segments: readonly number[],
): Promise<void> {
  await announceClasses(runtime.queue, Object.values(compiled.plan.classes));
  await startQueueTimers(runtime, run, compiled, readyOf(compiled, segments));
  await markReady(runtime, run, compiled, segments);
}

/** Writes task.queued of what is ready once these segments are added. */
async function markReady(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  segments: readonly number[],
): Promise<void> {
  const tasks = readyOf(compiled, segments).map((key) => queuedTask(compiled.workflow, key));
  for (let at = 0; at < tasks.length; at += 500) await markQueued(runtime.queue, run, tasks.slice(at, at + 500));
}

/** Wakes the workers that wait for these classes. A hint that nobody waits for: their sweep is the net. */
export function tellReady(runtime: Runtime, compiled: Compiled, segments: readonly number[]): void {
  tellOfJobs(runtime.queue, classesOf(compiled, segments)).catch((error: unknown) =>
    runtime.log.debug({ err: error }, 'the workers were not told of new jobs'),
  );
}

/** The classes that the first tasks of segments wait in. */
export function classesOf(compiled: Compiled, segments: readonly number[]): Set<string> {
  return new Set(readyOf(compiled, segments).map((key) => compiled.workflow.tasks.get(key)?.class.name ?? ''));
}

/** The first tasks of segments. */
function readyOf(compiled: Compiled, segments: readonly number[]): string[] {
  return segments.flatMap((index) => compiled.plan.segments[index]?.ready ?? []);
}
