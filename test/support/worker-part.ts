import type { Settings } from '@lattice/config';
import { LatticeWorker, closeEngine, type Runtime } from '@lattice/engine';
import { testHandlers } from './handlers';
import { openPart, type Part } from './part';

/** Starts what the app `worker` starts, with the handlers of the tests. `ledger` is the file that they note their work in. */
export async function startWorker(settings: Settings, ledger: string, race?: Runtime['race']): Promise<Part> {
  const runtime = await openPart(settings, 'worker', race);
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
