import { taskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { evaluateTemplate } from '@lattice/expression';
import { progressWriter, type Attempt } from '../../attempt/execute';
import { prepare } from '../../attempt/execution';
import { LogWriter } from '../../attempt/log-writer';
import { throughCache } from '../../attempt/result-cache';
import { watchSilence, type SilenceWatch } from '../../attempt/watch-silence';
import type { Runtime } from '../../runtime';
import type { Member } from './collector';
import { doBatch, type BatchCall, type RunningBatch } from './do-batch';
import type { Lane, Seat } from './lane';

export interface Joining extends BatchCall {
  readonly runtime: Runtime;
  readonly lane: Lane;
  readonly seat: Seat;
}

/** The calls that are on, by their members. */
const running = new WeakMap<Member, RunningBatch>();
/** When the last call for a lane is over. */
const lastCall = new WeakMap<Lane, Promise<unknown>>();

/** Does an attempt as a member of a batch; one whose result is kept comes into none. */
export async function joinBatch(joining: Joining, attempt: Attempt): Promise<Outcome> {
  const { runtime } = joining;
  const { task, scope } = attempt;
  const prepared = prepare(task, scope, runtime.settings);
  // A key that can't be told is a fault of the attempt, also where it did not decide about the batch.
  if (task.batchKey !== undefined) evaluateTemplate(task.batchKey, scope);
  return throughCache(runtime, attempt, prepared, () => beMember(joining, attempt, prepared));
}

/**
 * Waits for the others, then for the answer. Its timeout and its heartbeat count from the call. A member that is stopped leaves the
 * others alone.
 */
async function beMember(
  { runtime, lane, seat, ...call }: Joining,
  { run, task, attempt, signal }: Attempt,
  prepared: ReturnType<typeof prepare>,
): Promise<Outcome> {
  if (signal.aborted) return { status: 'cancelled' };
  const address = { runId: run.runId, epoch: run.epoch, taskKey: task.key, attempt };
  const log = new LogWriter(runtime, address);
  const progress = progressWriter(runtime, address);
  const outcome = await new Promise<Outcome>((resolve) => {
    let ended = false;
    let timer: NodeJS.Timeout | undefined;
    let silence: SilenceWatch | undefined;
    const settle = (given: Outcome): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      silence?.end();
      signal.removeEventListener('abort', stop);
      resolve(given);
    };
    const giveUp = (given: Outcome): void => {
      if (!lane.callOff(member)) running.get(member)?.forget(member);
      settle(given);
    };
    const stop = (): void => giveUp({ status: 'cancelled' });
    const member: Member = {
      runId: run.runId,
      taskKey: task.key,
      attempt,
      input: prepared.program.input,
      settle,
      called: () => {
        // Before, nobody works on it who could give signs of life.
        if (task.heartbeatMs !== undefined)
          silence = watchSilence(task.heartbeatMs, () => {
            if (silence?.error !== undefined) giveUp({ status: 'failed', error: silence.error });
          });
        const { timeoutMs } = prepared.limits;
        if (timeoutMs === undefined) return;
        const error = taskError('timeout', `stopped at its time limit of ${timeoutMs} ms`, { details: { timeoutMs } });
        timer = setTimeout(() => giveUp({ status: 'failed', error }), Math.min(timeoutMs, 2 ** 31 - 1));
      },
      log: (text) => {
        silence?.heard();
        if (!ended) void log.write({ stream: 'stdout', text, at: Date.now() });
      },
      progress: (percent, text) => {
        silence?.heard();
        if (!ended) progress(percent, text);
      },
      alive: () => silence?.heard(),
    };
    signal.addEventListener('abort', stop, { once: true });
    lane.join(seat, member, (members, key) => {
      const before = lastCall.get(lane);
      const make = (): Promise<void> => makeCall(call, members, key);
      // The lane has what it takes once. Who comes when its batch is on is alone, and may have given up by then.
      lastCall.set(lane, before === undefined ? make() : before.then(() => (ended ? undefined : make())));
    });
  });
  await log.flush();
  return outcome;
}

function makeCall(call: BatchCall, members: readonly Member[], key: string): Promise<void> {
  for (const one of members) one.called();
  const batch = doBatch(call, members, key);
  for (const one of members) running.set(one, batch);
  return batch.ended;
}
