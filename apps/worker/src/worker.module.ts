import {
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { LatticeWorker } from '@lattice/engine';

/** Starts the worker with the app, and drains it before anything else is shut down. */
@Injectable()
class WorkerLife implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(LatticeWorker) private readonly worker: LatticeWorker) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }
}

/** Wiring of a worker. */
@Module({})
export class WorkerModule {
  static of(worker: LatticeWorker): DynamicModule {
    return { module: WorkerModule, providers: [{ provide: LatticeWorker, useValue: worker }, WorkerLife] };
  }
}
