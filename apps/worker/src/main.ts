import 'reflect-metadata';
import { LatticeWorker, loadHandlers, openRuntime, runApp } from '@lattice/engine';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module';

runApp('worker', process.env, async (engine) => {
  const handlers = await loadHandlers(engine.settings.worker.handlers);
  const runtime = await openRuntime(engine);
  const worker = new LatticeWorker(runtime, handlers);
  const app = await NestFactory.createApplicationContext(WorkerModule.of(worker), { logger: ['error', 'warn'] });
  return {
    close: async () => {
      await app.close();
      await runtime.flows.close();
    },
  };
});
