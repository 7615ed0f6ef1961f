import { LatticeError, taskError, type WorkerOutcome } from '@lattice/contracts';
import { MAX_TIMER_MS, RunningHandle, SettledHandle, within } from '../handle';
import type { Execution, Executor, LogChunk, Outcome } from '../port';
import { outcomeOfThrown } from '../outcome';
import { tooLarge } from '../read-output';
import { createStop, outcomeOfHandlerStop, timeoutError, type Stop } from '../stop';

/** The way to the worker that does the work. */
export interface RemoteLink {
  /** Begins an execution there. Not called for one that goes on from before. */
  begin(execution: Execution): void;
  /** Asks the worker to stop; its result may still come. */
  cancel(id: string, reason: string): void;
  /** Milliseconds that an execution of this id has run there already; undefined when it is to be begun. */
  resumed(id: string): number | undefined;
}

/** An executor whose work is done by a worker at the other end of a connection. */
export interface RemoteExecutor extends Executor {
  log(id: string, chunk: LogChunk): void | Promise<void>;
  progress(id: string, percent: number, text?: string): void;
  alive(id: string): void;
  /** The worker's word on how an execution ended; one that nobody waits for is passed over. */
  settle(id: string, outcome: WorkerOutcome): void;
  /** The connection is gone: whatever is under way counts as cancelled here, and goes on there. */
  disconnect(): void;
}

interface Underway {
  readonly execution: Execution;
  readonly stop: Stop;
  logged: number;
  settle(outcome: Outcome): void;
}

/** A log is cut at its limit, and this is said once. */
const CUT = '[the log is cut here: it is above its limit]\n';

/**
 * Runs executions over a link. The time limit is kept here; a worker that does not answer a cancel within the grace is not
 * waited for, and what it says later is passed over.
 */
export function createRemoteExecutor(link: RemoteLink): RemoteExecutor {
  const underway = new Map<string, Underway>();
  let lose: (outcome: Outcome) => void = () => undefined;
  const lost = new Promise<Outcome>((resolve) => (lose = resolve));
  let gone = false;

  async function follow(entry: Underway, ended: Promise<Outcome>, spentMs: number): Promise<Outcome> {
    const { execution, stop } = entry;
    const { timeoutMs, graceMs } = execution.limits;
    const timer = timeoutMs === undefined ? undefined : armTimer(stop, timeoutMs, spentMs);
    try {
      const first = await Promise.race([ended, lost, stop.requested]);
      if ('status' in first) return first;
      link.cancel(execution.id, first.kind === 'cancelled' ? first.reason : first.error.message);
      return outcomeOfHandlerStop(first, await within(Promise.race([ended, lost]), graceMs));
    } finally {
      clearTimeout(timer);
      underway.delete(execution.id);
    }
  }

  function submit(execution: Execution): RunningHandle | SettledHandle {
    if (gone) return new SettledHandle({ status: 'cancelled' });
    const stop = createStop();
    let settle: (outcome: Outcome) => void = () => undefined;
    const ended = new Promise<Outcome>((resolve) => (settle = resolve));
    const entry: Underway = { execution, stop, logged: 0, settle };
    underway.set(execution.id, entry);
    const spentMs = link.resumed(execution.id);
    if (spentMs === undefined) link.begin(execution);
    return new RunningHandle(follow(entry, ended, spentMs ?? 0), (reason) =>
      stop.request({ kind: 'cancelled', reason }),
    );
  }

  return {
    level: 'none',
    submit,
    log: (id, chunk) => {
      const entry = underway.get(id);
      if (entry === undefined) return;
      const { execution } = entry;
      const { limits } = execution;
      if (entry.logged >= limits.logBytes) return execution.onAlive?.();
      entry.logged += Buffer.byteLength(chunk.text);
      return execution.onLog(entry.logged < limits.logBytes ? chunk : { ...chunk, text: `${chunk.text}${CUT}` });
    },
    progress: (id, percent, text) => underway.get(id)?.execution.onProgress?.(percent, text),
    alive: (id) => underway.get(id)?.execution.onAlive?.(),
    settle: (id, outcome) => {
      const entry = underway.get(id);
      if (entry !== undefined) settleWith(entry, outcome);
    },
    disconnect: () => {
      gone = true;
      lose({ status: 'cancelled' });
    },
    async close() {
      gone = true;
      lose({ status: 'cancelled' });
      await Promise.resolve();
    },
  };
}

function armTimer(stop: Stop, timeoutMs: number, spentMs: number): NodeJS.Timeout {
  const error = timeoutError(timeoutMs);
  const left = Math.min(Math.max(0, timeoutMs - spentMs), MAX_TIMER_MS);
  return setTimeout(() => stop.request({ kind: 'failed', error, atOnce: false }), left);
}

function settleWith(entry: Underway, outcome: WorkerOutcome): void {
  const said = outcomeOf(outcome, entry.execution);
  const saved = outcome.status === 'completed' ? (outcome.artifacts ?? []) : [];
  if (said.status !== 'completed' || saved.length === 0) return entry.settle(said);
  void withSaved(said, saved, entry.execution).then((whole) => entry.settle(whole));
}

/** The outcome with what the worker has saved before, of which it says no more than the ids. */
async function withSaved(
  outcome: Extract<Outcome, { status: 'completed' }>,
  ids: readonly string[],
  execution: Execution,
): Promise<Outcome> {
  try {
    const artifacts = await execution.savedArtifacts?.(ids);
    if (artifacts === undefined) throw new LatticeError('artifact_refused', 'this attempt may save nothing');
    return { ...outcome, artifacts };
  } catch (error) {
    return outcomeOfThrown(error);
  }
}

/** What the worker says, as far as it is to be believed. */
function outcomeOf(outcome: WorkerOutcome, { limits }: Execution): Outcome {
  if (outcome.status !== 'completed') return outcome;
  const bytes = Buffer.byteLength(outcome.output);
  if (bytes > limits.outputBytes) return { status: 'failed', error: tooLarge(bytes, limits.outputBytes) };
  try {
    JSON.parse(outcome.output);
  } catch {
    return { status: 'failed', error: taskError('output_not_json', 'the worker sent an output that is not JSON') };
  }
  return { status: 'completed', outputJson: outcome.output };
}
