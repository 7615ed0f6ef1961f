import {
  activeRuns,
  freezeRun,
  markMoved,
  readEndings,
  readHead,
  rootIdOf,
  upgradeRun,
  type FlowRun,
  type RunHead,
} from '@lattice/queue';
import type { Runtime } from '../runtime';
import { finaliseIfDone } from './finalise';
import type { Compiled } from './plans';
import { countGates, releaseOpen } from './rebuild';

/** What became of runs that were to be moved to the version of this process. */
export interface Moved {
  /** Those of an epoch that is over now: jobs of it may be left. */
  readonly moved: FlowRun[];
  /** Something of them is being worked on: it may end, and they are moved then. */
  readonly waiting: string[];
  /** Versions of plans that runs came from: lost jobs may be in their queues. */
  readonly versions: number[];
}

interface Held {
  readonly run: FlowRun;
  readonly head: RunHead;
}

/**
 * Moves runs that go by an older plan to the version of this process. First nobody begins their tasks any more; what was begun
 * may end. When nothing of a run is worked on, its gates are counted anew by the new plan, under a new epoch, and what is open is added. What has
 * ended stays so, retries and waiting tasks of the schedulers go on where they were. May be repeated at any point, by anybody.
 */
export async function moveRuns(runtime: Runtime, runIds: readonly string[]): Promise<Moved> {
  const found = await Promise.all(runIds.map((runId) => hold(runtime, runId)));
  const held = found.filter((each) => each !== undefined);
  // Asked after all are held up: what is not active now can't become so.
  const versions = [...new Set(held.flatMap(({ head }) => (head.moved ? [] : [head.jobsOf])))];
  const active = await activeOf(runtime, versions);
  const moved: FlowRun[] = [];
  const waiting: string[] = [];
  await Promise.all(
    held.map(async ({ run, head }) => {
      if (!head.moved && (active.has(rootIdOf(run)) || !(await move(runtime, run, head)))) {
        waiting.push(run.runId);
        return;
      }
      await goOn(runtime, run.runId);
      if (!head.moved) moved.push(run);
    }),
  );
  return { moved, waiting, versions };
}

async function activeOf({ queue, flows }: Runtime, versions: readonly number[]): Promise<Set<string>> {
  const found = await Promise.all(versions.map((version) => activeRuns(queue, flows, version)));
  return new Set(found.flatMap((runs) => [...runs]));
}

/** The run, if it is to be moved, held up; or moved already, but for what is open of it. */
async function hold(runtime: Runtime, runId: string): Promise<Held | undefined> {
  const head = await readHead(runtime.queue, runId);
  if (head === undefined) return undefined;
  const run: FlowRun = { runId, epoch: head.epoch, priority: head.priority, sha: head.sha };
  switch (runtime.pin.standingOf(head.version)) {
    case 'newer':
      runtime.pin.tell(runId, head.version);
      return undefined;
    case 'same':
      return head.moved ? { run, head } : undefined;
    case 'older':
      return (await freezeRun(runtime.queue, run, runtime.pin.version)) ? { run, head } : undefined;
  }
}

/** Counts the gates anew. False when something ended meanwhile. */
async function move(runtime: Runtime, run: FlowRun, before: RunHead): Promise<boolean> {
  // Who was at work when the run was held up may have ended since: how many are left is read before what has ended.
  const head = await readHead(runtime.queue, run.runId);
  if (head?.epoch !== run.epoch) return false;
  const compiled = await runtime.plans.get(run.sha);
  const ended = await endedTasks(runtime, run.runId, compiled);
  const eventJson = JSON.stringify({ reason: 'upgraded' });
  const options = { version: compiled.plan.version, left: head.left, eventJson, counts: countGates(compiled, ended) };
  if (!(await upgradeRun(runtime.queue, run, options))) return false;
  const { runId } = run;
  runtime.log.info(
    { runId, from: Math.abs(before.version), to: options.version },
    'a run was moved to another version',
  );
  await runtime.race?.('after-move', { runId });
  return true;
}

/** Adds what is open of a run that was moved. */
async function goOn(runtime: Runtime, runId: string): Promise<void> {
  const head = await readHead(runtime.queue, runId);
  if (head?.moved !== true || !runtime.pin.holds(head.version)) return;
  const run: FlowRun = { runId, epoch: head.epoch, priority: head.priority, sha: head.sha };
  const compiled = await runtime.plans.get(run.sha);
  const ended = await endedTasks(runtime, runId, compiled);
  const counts = countGates(compiled, ended);
  await releaseOpen(runtime, { run, compiled, ended, counts, others: head.others });
  await finaliseIfDone(runtime, runId);
  await markMoved(runtime.queue, run);
}

async function endedTasks(runtime: Runtime, runId: string, { workflow }: Compiled): Promise<Set<string>> {
  const keys = [...workflow.tasks.keys()];
  const endings = await readEndings(runtime.queue, runId, keys);
  return new Set(keys.filter((_, index) => endings[index] !== ''));
}
