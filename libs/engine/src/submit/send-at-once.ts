import type { Workflow } from '@lattice/flow';
import { deleteSent, hastenSending, type NewRun, type StoredRun } from '@lattice/persistence';
import { RunSender } from '@lattice/queue';
import { prepareRun, type ReadyRun } from '../run/prepare-run';
import { sendRun } from '../run/send-run';
import type { Runtime } from '../runtime';
import { nudge } from './nudge';

/** A scheduler leaves the outbox row of a run that is sent at once alone for so long. */
const GRACE_MS = 1_000;
/** Whoever stored a run may make it in Redis for so long: a process that was stopped in between must not do so after its end. */
const LIMIT_MS = 700;
/** Larger runs are for the schedulers: what an API process does for one must not hold up the others. */
const MOST_TASKS = 100;
/** So many are sent at once at most. */
const MOST = 64;
/** Outbox rows are deleted together with those of so many milliseconds. */
const TOGETHER_MS = 50;

/** A run with a grace that is being stored. */
export interface Prepared {
  /** It is stored: sends it. Nobody waits for that. */
  send(): void;
  /** It was not stored. */
  drop(): void;
}

/**
 * Sends runs to the queue right after they were stored, by the process that stored them: a short run would wait longer for a
 * scheduler than it takes. The outbox row is the net, as ever: it is due a second later, and goes when the run is in Redis.
 */
export class SendAtOnce {
  private inFlight = 0;
  private sent: string[] = [];
  private deleting: NodeJS.Timeout | undefined;

  private readonly sender: RunSender;

  constructor(private readonly runtime: Runtime) {
    this.sender = new RunSender(runtime.queue);
  }

  /** Milliseconds for which the schedulers are to leave the run alone; 0 when it is theirs. */
  graceFor(workflow: Workflow, run: Pick<NewRun, 'delayMs'>): number {
    const { queue } = this.runtime;
    const here =
      queue.redis.status === 'ready' &&
      queue.trust.holds &&
      this.inFlight < MOST &&
      workflow.tasks.size <= MOST_TASKS &&
      workflow.limits === undefined &&
      (run.delayMs ?? 0) === 0;
    // Trust in a Redis that was connected to lately is had for the asking.
    if (!here && !queue.trust.holds) queue.trust.look().catch(() => undefined);
    return here ? GRACE_MS : 0;
  }

  /** Makes ready what can be made of a run with a grace while it is being stored. One of the two must be called, once. */
  prepare(run: NewRun): Prepared {
    const prepared = prepareRun(this.runtime, this.sender, storedRunOf(run), run.document);
    // It may fail before anybody waits for it.
    prepared.catch(() => undefined);
    return {
      send: () => this.send(run, prepared),
      drop: () => void prepared.then((ready) => ready?.drop()).catch(() => undefined),
    };
  }

  /** Sends a run that was stored with a grace. Nobody waits for it. */
  private send(run: NewRun, prepared: Promise<ReadyRun | undefined>): void {
    this.inFlight += 1;
    this.trySend(run, prepared)
      .catch((error: unknown) => {
        this.runtime.log.warn({ err: error, runId: run.runId }, 'a run was not sent at once; a scheduler will do it');
        return false;
      })
      .then((done) => (done ? this.forget(run.runId) : this.handOver(run.runId)))
      .finally(() => (this.inFlight -= 1))
      .catch((error: unknown) => this.runtime.log.debug({ err: error }, 'the schedulers were not told of a run'));
  }

  /** Deletes what is left to be deleted. */
  async close(): Promise<void> {
    clearTimeout(this.deleting);
    await this.deleteRows();
    await this.sender.close();
  }

  private async trySend(run: NewRun, prepared: Promise<ReadyRun | undefined>): Promise<boolean> {
    const guard = { notAfter: Date.now() + LIMIT_MS };
    const ready = await prepared;
    return ready === undefined ? sendRun(this.runtime, storedRunOf(run), run.document, guard) : ready.send(guard);
  }

  private async handOver(runId: string): Promise<void> {
    await hastenSending(this.runtime.db, runId);
    nudge(this.runtime);
  }

  private forget(runId: string): void {
    this.sent.push(runId);
    this.deleting ??= setTimeout(() => void this.deleteRows(), TOGETHER_MS);
  }

  private async deleteRows(): Promise<void> {
    this.deleting = undefined;
    const runIds = this.sent.splice(0);
    try {
      if (runIds.length > 0) await deleteSent(this.runtime.db, runIds);
    } catch (error) {
      // Sending them again changes nothing.
      this.runtime.log.debug({ err: error }, 'outbox rows of runs that were sent could not be deleted');
    }
  }
}

/** A run as it was just stored. */
function storedRunOf(run: NewRun): StoredRun {
  return {
    runId: run.runId,
    workflow: run.workflow,
    version: run.version,
    documentSha: run.documentSha,
    status: 'pending',
    priority: run.priority,
    onFailure: run.onFailure,
    tags: [...run.tags],
    inputs: run.inputs,
    epoch: 1,
    taskCount: run.tasks.length,
    createdAt: new Date().toISOString(),
    schedule: run.schedule?.name ?? null,
    tick: run.schedule?.tick ?? null,
    parent: null,
  };
}
