import type { WorkerFrame, WorkerHello, PlatformFrame } from '@lattice/contracts';
import { createRemoteExecutor, type Execution, type Executors } from '@lattice/executor';
import { parseJobId, type Taken } from '@lattice/queue';
import { writeLease } from './lease';

/** What a worker says of an attempt. */
export type Report = Extract<WorkerFrame, { id: string }>;

/** An attempt that a worker brought along; what it says before the work on the job goes on is kept. */
interface Presented {
  readonly startedAt: number;
  readonly reports: Report[];
}

/** The attempts of one connection: those that go down it, and those that the worker brought along. */
export class RemoteAttempts {
  private readonly presented = new Map<string, Presented>();
  /** Attempts that the worker was not told are settled, with the jobs that they are part of. */
  private readonly jobs = new Map<string, Taken>();
  private readonly executor = createRemoteExecutor({
    begin: (execution) => this.begin(execution),
    cancel: (id, reason) => this.send({ op: 'cancel', id, reason }),
    resumed: (id) => this.resume(id),
  });

  private connected = true;

  constructor(private readonly deliver: (order: PlatformFrame) => void) {}

  /** Attempts that the worker has in hand. */
  get count(): number {
    return this.jobs.size;
  }

  /** An attempt goes on: its job was adopted. */
  present({ id, elapsed }: WorkerHello['attempts'][number], taken: Taken): void {
    this.presented.set(id, { startedAt: performance.now() - elapsed, reports: [] });
    this.jobs.set(id, taken);
  }

  /** Executors for the work on one job. */
  executorsOf(taken: Taken): Pick<Executors, 'forTask'> {
    const submit = (execution: Execution) => {
      // The tasks of a job come one after the other: whatever came before this one is recorded.
      this.settle(taken, execution.id);
      this.jobs.set(execution.id, taken);
      return this.executor.submit(execution);
    };
    return { forTask: () => ({ level: 'none', submit, close: () => Promise.resolve() }) };
  }

  /** Takes what the worker says. A promise asks it to wait before it says more. */
  report(report: Report): void | Promise<void> {
    const early = this.presented.get(report.id);
    if (early === undefined) return this.apply(report);
    early.reports.push(report);
  }

  /** The work on a job has ended, for this process at least: the worker may forget its attempts. */
  settle(taken: Taken, except?: string): void {
    for (const [id, job] of this.jobs) {
      if (job !== taken || id === except) continue;
      this.jobs.delete(id);
      this.presented.delete(id);
      this.send({ op: 'settled', id });
    }
  }

  /** The connection is gone: what is under way is cancelled here, and goes on there. */
  disconnect(): void {
    this.connected = false;
    this.executor.disconnect();
  }

  /** After the end of the connection the worker keeps its attempts: it must not hear that they are settled or cancelled. */
  private send(order: PlatformFrame): void {
    if (this.connected) this.deliver(order);
  }

  private begin({ id, uses, input, attempt }: Execution): void {
    const taken = this.jobs.get(id);
    if (taken === undefined) return;
    const { className, token, runId, job } = taken;
    this.send({
      op: 'execute',
      id,
      lease: writeLease({ className, token, jobId: job.id ?? '' }),
      runId,
      taskKey: parseJobId(id.slice(0, id.lastIndexOf('.')))?.taskKey ?? '',
      attempt: attempt ?? 1,
      handler: uses.slice('handler/'.length),
      input,
    });
  }

  /** Milliseconds that an attempt has run; what its worker said meanwhile is heard now. */
  private resume(id: string): number | undefined {
    const presented = this.presented.get(id);
    if (presented === undefined) return undefined;
    this.presented.delete(id);
    for (const report of presented.reports) void this.apply(report);
    return performance.now() - presented.startedAt;
  }

  private apply(report: Report): void | Promise<void> {
    const { id } = report;
    switch (report.op) {
      case 'log': {
        const { n, stream, text, at } = report;
        const waits = this.executor.log(id, { stream, text, at });
        this.send({ op: 'logged', id, n });
        return waits;
      }
      case 'progress':
        return this.executor.progress(id, report.percent, report.text);
      case 'alive':
        return this.executor.alive(id);
      case 'result':
        // One that is settled already is told so once more: the word of it may have been lost.
        if (!this.jobs.has(id)) this.send({ op: 'settled', id });
        return this.executor.settle(id, report.outcome);
    }
  }
}
