import 'reflect-metadata';
import { Scheduler, openRuntime, runApp } from '@lattice/engine';
import { NestFactory } from '@nestjs/core';
import { SchedulerModule } from './scheduler.module';

runApp('scheduler', process.env, async (engine) => {
  const runtime = await openRuntime(engine);
  const scheduler = new Scheduler(runtime);
  await scheduler.start();
  const app = await NestFactory.createApplicationContext(SchedulerModule.of(runtime, scheduler), {
    logger: ['error', 'warn'],
  });
  return {
    close: async () => {
      await app.close();
      await scheduler.stop();
      await runtime.flows.close();
    },
  };
});
