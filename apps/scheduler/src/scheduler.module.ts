import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import { ROOT_QUEUE, type Runtime, type Scheduler } from '@lattice/engine';
import { RootProcessor } from './root.processor';
import { SCHEDULER } from './tokens';

/** Wiring of the scheduler: the queue of roots by @nestjs/bullmq, everything else is the engine's. */
@Module({})
export class SchedulerModule {
  static of(runtime: Runtime, scheduler: Scheduler): DynamicModule {
    const { redis, keys } = runtime.queue;
    return {
      module: SchedulerModule,
      imports: [
        BullModule.forRoot({ connection: redis, prefix: keys.prefix }),
        BullModule.registerQueue({ name: ROOT_QUEUE }),
      ],
      providers: [{ provide: SCHEDULER, useValue: scheduler }, RootProcessor],
    };
  }
}
