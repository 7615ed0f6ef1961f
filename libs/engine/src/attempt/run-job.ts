import { taskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { nextDelay, type TaskDefinition } from '@lattice/flow';
import {
  attemptsBefore,
  begin,
  parkJob,
  readGates,
  readProgress,
  recordRetry,
  type Begun,
  type Disposal,
  type FlowRun,
  type Recorded,
  type Retried,
  type Taken,
} from '@lattice/queue';
import { storeLargeOutput } from '../artifacts/store-output';
import { finaliseIfDone } from '../run/finalise';
import { gatesOf, release } from '../run/release';
import { parseGiven, scopesAround, taskScope } from '../run/scope';
import { settleJob, settleRun } from '../run/stop';
import type { AttemptContext } from './execute';
import { faultOf } from './fault-of';
import { recordOutcome } from './record-outcome';
import { beginningOf, isOver, scopeOf, type Slice } from './slice';
import { whenConnected } from './when-connected';

/** Milliseconds until a job that may not begin now is looked at again. */
const AGAIN_MS = 1_000;

/** What comes of a task: go on with the chain, having run it or not, or let go of the job. */
type Step = 'ran' | 'passed-over' | Disposal;

/**
 * Does a job: its tasks one after the other, each with its own attempt. Tasks that are recorded already are passed over, so a
 * job may be taken again at any time. Says what is to become of the job.
 */
export async function runJob(context: AttemptContext, taken: Taken, signal: AbortSignal): Promise<Disposal> {
  const { runtime } = context;
  const compiled = await runtime.plans.get(taken.sha);
  const entry = compiled.jobs.get(taken.taskKey);
  if (entry === undefined) throw new Error(`job ${taken.taskKey} is not in the plan of document ${taken.sha}`);
  const priority = 1_000_000 - (taken.job.opts.priority ?? 1_000_000) - (entry.job.priority ?? 0);
  const run: FlowRun = { runId: taken.runId, epoch: taken.epoch, sha: taken.sha, priority };
  const slice: Slice = {
    context,
    taken,
    job: entry.job,
    run,
    compiled,
    signal,
    started: performance.now(),
    ran: 0,
    given: undefined,
    tasks: {},
    begun: undefined,
    behind: undefined,
  };
  const disposal = await runChain(slice);
  if (disposal !== undefined) return disposal;
  await runtime.race?.('before-acknowledge', taken);
  return {
    do: 'acknowledge',
    wakes: entry.parentClass === undefined || entry.parentClass === taken.className ? [] : [entry.parentClass],
    ...(slice.behind === undefined ? {} : { behind: slice.behind }),
  };
}

/** The tasks of the job that have not ended, as far as a slice goes. Undefined when all have ended. */
async function runChain(slice: Slice): Promise<Disposal | undefined> {
  const { compiled, job } = slice;
  for (let at = 0; at < job.tasks.length; at += 1) {
    const key = job.tasks[at] ?? '';
    const task = compiled.workflow.tasks.get(key);
    if (task === undefined) throw new Error(`task ${key} is not in document ${slice.run.sha}`);
    if (slice.begun === undefined && isOver(slice)) return { do: 'requeue' };
    const step = await runTask(slice, task);
    if (step === 'ran') continue;
    // Only the first task of a job that comes again can have ended already; how far it came is asked once.
    if (step === 'passed-over') at = (await firstOpen(slice, at)) - 1;
    else return step;
  }
  return undefined;
}

/** Place of the first task behind this one that has not ended. */
async function firstOpen({ context, run, job }: Slice, at: number): Promise<number> {
  const rest = job.tasks.slice(at + 1);
  const progress = await readProgress(context.runtime.queue, run.runId, rest);
  const open = progress.findIndex(({ ended }) => !ended);
  // The last task is asked again even if it has ended: what its end opens may not have been added.
  return open < 0 ? Math.max(at + 1, job.tasks.length - 1) : at + 1 + open;
}

/** One attempt of one task. */
async function runTask(slice: Slice, task: TaskDefinition): Promise<Step> {
  const { context, run, taken } = slice;
  const { runtime } = context;
  const beginning = beginningOf(slice, task);
  const begun = slice.begun ?? (await begin(runtime.queue, run, beginning));
  slice.begun = undefined;
  if (begun.reply !== 'ok') return refused(slice, task, begun);
  await runtime.race?.('after-begin', { runId: taken.runId, taskKey: task.key });
  const { attempt } = begun;
  let outcome: Outcome;
  try {
    const given = (slice.given ??= parseGiven(begun.inputs, slice.compiled.workflow.document));
    for (const [index, key] of beginning.results.entries()) {
      const result = begun.results[index];
      if (result === undefined) continue;
      slice.tasks[key] = await whenConnected(slice.signal, () => taskScope(runtime, run.runId, key, result));
    }
    const outside = [...task.references.tasks].filter((key) => slice.tasks[key] === undefined);
    if (outside.length > 0) {
      Object.assign(slice.tasks, await whenConnected(slice.signal, () => scopesAround(runtime, given.around, outside)));
    }
    const { compiled, signal } = slice;
    const work = await context.perform({
      run,
      compiled,
      task,
      attempt,
      scope: scopeOf(slice),
      around: given.around,
      signal,
    });
    if (work.status === 'waiting') return { do: 'delay', ms: work.ms };
    outcome = await storeLargeOutput(runtime, { runId: run.runId, epoch: run.epoch, taskKey: task.key, attempt }, work);
  } catch (error) {
    outcome = { status: 'failed', error: faultOf(error) };
  }
  if (slice.signal.reason === 'heartbeat_lost') return { do: 'leave' };
  if (slice.signal.reason === 'worker_stops' && outcome.status !== 'completed') return giveBack(slice, task, attempt);
  return finish(slice, task, { attempt, lost: begun.lost }, outcome);
}

/** What to do with a job whose task may not begin. */
async function refused(slice: Slice, task: TaskDefinition, begun: Exclude<Begun, { reply: 'ok' }>): Promise<Step> {
  const { run, context } = slice;
  switch (begun.reply) {
    case 'recorded':
      // Its worker may have died between the record and the release.
      await releaseAgain(slice, task);
      return 'passed-over';
    case 'gone':
    case 'stale':
    case 'final':
      return { do: 'acknowledge' };
    case 'cancelling':
    case 'failing':
      await settleJob(context.runtime, run, slice.job.tasks);
      return { do: 'acknowledge' };
    case 'lost': {
      const message = `${begun.lost} workers were lost while they ran the task, the last one was ${begun.worker}`;
      const error = taskError('worker_lost', message);
      return commit(slice, task, begun.attempt, { status: 'failed', error });
    }
    case 'version':
      return context.runtime.pin.putOff(slice.taken, begun.version);
    case 'early':
      return { do: 'delay', ms: begun.delay };
    case 'uninitialised':
    case 'busy':
      return { do: 'delay', ms: AGAIN_MS };
    case 'paused':
      return park(slice);
  }
}

/** Puts the job aside until the run goes on. */
async function park({ context, run, taken }: Slice): Promise<Disposal> {
  const job = { taskKey: taken.taskKey, className: taken.className };
  const note = (): Promise<boolean> => parkJob(context.runtime.queue, run, job);
  if (!(await note())) return { do: 'delay', ms: 1 };
  await context.runtime.race?.('before-park', taken);
  // Noted again once it is aside: a resume that came in between found it in our hands, and another pause may have followed.
  return { do: 'park', stays: note };
}

async function releaseAgain({ context, run, compiled }: Slice, task: TaskDefinition): Promise<void> {
  const gates = gatesOf(compiled, task.key);
  const counts = await readGates(
    context.runtime.queue,
    run.runId,
    gates.map(({ gate }) => gate),
  );
  const open = gates.filter(({ needs }, index) => (counts[index] ?? 0) >= needs).map(({ gate }) => gate);
  // Whether all dependencies completed is not known here: let the gate look.
  await release(context.runtime, { run, compiled, gates: open, others: 1 });
  await finaliseIfDone(context.runtime, run.runId);
}

/** Records an outcome, or that it is to be tried again. */
async function finish(
  slice: Slice,
  task: TaskDefinition,
  token: { attempt: number; lost: number },
  outcome: Outcome,
): Promise<Step> {
  if (outcome.status !== 'failed') return commit(slice, task, token.attempt, outcome);
  // The policy counts anew with a rerun.
  const before = token.attempt > 1 ? await attemptsBefore(slice.context.runtime.queue, slice.run.runId, task.key) : 0;
  const delay = nextDelay(task.retry, token.attempt - token.lost - before, outcome.error, Math.random());
  if (delay === undefined) return commit(slice, task, token.attempt, outcome);
  const reply = await recordRetry(slice.context.runtime.queue, slice.run, {
    taskKey: task.key,
    attempt: token.attempt,
    delayMs: delay,
    eventJson: JSON.stringify({ delay, error: outcome.error }),
  });
  return afterRetry(slice, task, token.attempt, { reply, again: { do: 'delay', ms: delay } });
}

async function afterRetry(
  slice: Slice,
  task: TaskDefinition,
  attempt: number,
  { reply, again }: { reply: Retried; again: Disposal },
): Promise<Step> {
  switch (reply) {
    case 'ok':
    case 'repeat':
      return again;
    case 'stopping':
      return commit(slice, task, attempt, { status: 'cancelled' });
    case 'gone':
    case 'stale':
      return { do: 'acknowledge' };
    case 'uninitialised':
      return { do: 'delay', ms: AGAIN_MS };
    case 'fenced':
      return { do: 'leave' };
  }
}

/** A worker that stops hands its task on: nobody failed, so it counts neither as a try nor as a loss. */
async function giveBack(slice: Slice, task: TaskDefinition, attempt: number): Promise<Step> {
  const { workerId, runtime } = slice.context;
  const error = taskError('worker_stopped', `worker ${workerId} was stopped before the task was done`);
  const reply = await recordRetry(runtime.queue, slice.run, {
    taskKey: task.key,
    attempt,
    delayMs: 0,
    eventJson: JSON.stringify({ delay: 0, error }),
    givenBack: true,
  });
  return afterRetry(slice, task, attempt, { reply, again: { do: 'requeue' } });
}

/** Records how a task ended and adds what that opens. */
async function commit(slice: Slice, task: TaskDefinition, attempt: number, outcome: Outcome): Promise<Step> {
  const recorded = await recordOutcome(slice, task, attempt, outcome);
  switch (recorded.reply) {
    case 'sent':
      slice.behind = afterwards(slice, task, recorded.recorded);
      return 'ran';
    case 'gone':
    case 'stale':
      return { do: 'acknowledge' };
    case 'uninitialised':
      return { do: 'delay', ms: AGAIN_MS };
    case 'fenced':
      return { do: 'leave' };
    case 'ok':
    case 'repeat':
      return afterRecord(slice, task, recorded);
  }
}

/** What follows from a record whose reply comes while the job is acknowledged. */
async function afterwards(slice: Slice, task: TaskDefinition, sent: Promise<Recorded>): Promise<void> {
  const recorded = await sent;
  if (recorded.reply === 'ok' || recorded.reply === 'repeat') await afterRecord(slice, task, recorded);
}

async function afterRecord(
  slice: Slice,
  task: TaskDefinition,
  recorded: Extract<Recorded, { open: number[] }>,
): Promise<Step> {
  const { context, run, compiled } = slice;
  const { runtime } = context;
  await runtime.race?.('after-record', { runId: run.runId, taskKey: task.key });
  let { left, state } = recorded;
  // A pause holds up what begins, not what is added: a job that comes up is parked.
  if ((state === 'running' || state === 'paused') && recorded.open.length > 0) {
    const released = await release(runtime, { run, compiled, gates: recorded.open, others: recorded.others });
    if (released !== undefined) ({ left, state } = released);
  }
  await runtime.race?.('after-release', { runId: run.runId, taskKey: task.key });
  if (state === 'failing' || state === 'cancelling') await settleRun(runtime, run.runId);
  else if (left === 0 && state !== 'final') await finaliseIfDone(runtime, run.runId);
  if ((state === 'running' || state === 'paused') && recorded.status === 'completed') return 'ran';
  return { do: 'acknowledge' };
}
