import { createLogger, readSettings, type Settings } from '@lattice/config';
import { LatticeWorker, Scheduler, closeEngine, openEngine, openRuntime, type Runtime } from '@lattice/engine';
import type { Handler } from '@lattice/executor';
import { NestFactory } from '@nestjs/core';
import 'reflect-metadata';
import { SchedulerModule } from '../../apps/scheduler/src/scheduler.module';

/** A scheduler or a worker that runs in this process. */
export interface Part {
  readonly runtime: Runtime;
  stop(): Promise<void>;
}

/** Settings of a process of the platform under test. */
export function settingsOf(environment: NodeJS.ProcessEnv): Settings {
  return readSettings(environment);
}

async function openPart(settings: Settings, name: string, race: Runtime['race']): Promise<Runtime> {
  const log = createLogger(name, settings.logLevel);
  return openRuntime(await openEngine(settings, `lattice-${name}`, log), { race });
}

/** Starts what the app `scheduler` starts. */
export async function startScheduler(settings: Settings, race?: Runtime['race']): Promise<Part> {
  const runtime = await openPart(settings, 'scheduler', race);
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

/** Starts what the app `worker` starts, with these handlers. */
export async function startWorker(
  settings: Settings,
  handlers: ReadonlyMap<string, Handler>,
  race?: Runtime['race'],
): Promise<Part> {
  const runtime = await openPart(settings, 'worker', race);
  const worker = new LatticeWorker(runtime, handlers);
  await worker.start();
  return {
    runtime,
    stop: async () => {
      await worker.stop();
      await runtime.flows.close();
      await closeEngine(runtime);
    },
  };
}
