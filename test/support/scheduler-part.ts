import 'reflect-metadata';
import type { Settings } from '@lattice/config';
import { Scheduler, closeEngine } from '@lattice/engine';
import { NestFactory } from '@nestjs/core';
import { SchedulerModule } from '../../apps/scheduler/src/scheduler.module';
import { openPart, type Hooks, type Part } from './part';

/** Starts what the app `scheduler` starts. */
export async function startScheduler(settings: Settings, hooks: Hooks = {}): Promise<Part> {
  const runtime = await openPart(settings, 'scheduler', hooks);
  const scheduler = new Scheduler(runtime);
  await scheduler.start();
  const module = SchedulerModule.of(runtime, scheduler);
  const app = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  return {
    runtime,
    stop: async () => {
      await app.close();
      await scheduler.stop();
      await runtime.flows.close();
      await closeEngine(runtime);
    },
  };
}
