import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject, type OnModuleInit } from '@nestjs/common';
import { ROOT_QUEUE, ROOT_WORKER_OPTIONS, rootAgain, type RootJob, type Scheduler } from '@lattice/engine';
import { SCHEDULER } from './tokens';

/** Milliseconds until a root that came up too early is looked at again. */
const AGAIN_MS = 1_000;

/** Takes root jobs: all jobs of the run are acknowledged, so the run is to be ended. */
@Processor(ROOT_QUEUE, ROOT_WORKER_OPTIONS)
export class RootProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @Inject(SCHEDULER) private readonly scheduler: Scheduler,
    @InjectQueue(ROOT_QUEUE) private readonly roots: { on(event: 'error', listener: (error: Error) => void): unknown },
  ) {
    super();
  }

  /** Nest made a queue beside the worker; without a listener it prints its errors as the worker would. */
  onModuleInit(): void {
    this.roots.on('error', (error) => this.scheduler.rootsFailed(error));
  }

  override async process(job: RootJob, token?: string): Promise<null> {
    if (!(await this.ended(job))) await rootAgain(job, token, AGAIN_MS);
    return null;
  }

  /** An error (Postgres is away) must not end the job: it comes again. */
  private async ended(job: RootJob): Promise<boolean> {
    try {
      return await this.scheduler.rootReleased(job.id ?? '');
    } catch (error) {
      this.scheduler.rootsFailed(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  /** Without a listener BullMQ prints each try to reach a Redis that is away. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.scheduler.rootsFailed(error);
  }
}
