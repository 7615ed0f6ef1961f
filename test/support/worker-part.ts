import type { Settings } from '@lattice/config';
import { LatticeWorker, closeEngine } from '@lattice/engine';
import { testHandlers } from './handlers';
import { openPart, type Hooks, type Part } from './part';

/** Starts what the app `worker` starts, with the handlers of the tests. `ledger` is the file that they note their work in. */
export async function startWorker(settings: Settings, ledger: string, hooks: Hooks = {}): Promise<Part> {
  const runtime = await openPart(settings, 'worker', hooks);
  const worker = new LatticeWorker(runtime, testHandlers(ledger));
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
