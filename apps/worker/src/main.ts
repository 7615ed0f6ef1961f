import 'reflect-metadata';
import { LatticeWorker, checkScripts, checkWorkRoot, loadHandlers, openRuntime, runApp } from '@lattice/engine';
import { NestFactory } from '@nestjs/core';
import { serveHealth } from './serve-health';
import { WorkerModule } from './worker.module';

runApp('worker', process.env, async (engine) => {
  checkWorkRoot();
  const handlers = await loadHandlers(engine.settings.worker.handlers);
  await checkScripts(engine.settings.worker.scripts);
  const runtime = await openRuntime(engine);
  // As if it were told from outside: the same way out for every reason.
  const worker = new LatticeWorker(runtime, handlers, { onDrained: () => process.kill(process.pid, 'SIGTERM') });
  const health = await serveHealth(engine.settings, () => worker.isReady);
  const app = await NestFactory.createApplicationContext(WorkerModule.of(worker), { logger: ['error', 'warn'] });
  return {
    close: async () => {
      health?.close();
      await app.close();
      await runtime.flows.close();
    },
  };
});
