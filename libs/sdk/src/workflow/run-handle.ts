import type { RunEvent, RunView } from '@lattice/contracts';
import type { LatticeClient } from '../client';
import type { WaitOptions } from '../client-options';
import { RunError } from '../errors';
import type { EventsOptions } from '../events';
import type { CallOptions } from '../request';
import type { TaskResult } from '../results';

/** A run that was submitted. */
export class RunHandle<R> {
  constructor(
    private readonly client: LatticeClient,
    readonly id: string,
  ) {}

  /** Its outputs once it has completed. Throws RunError when it ends otherwise, or is not over after `timeout` (default `1h`). */
  async result(options: WaitOptions = {}): Promise<R> {
    const run = await this.client.wait(this.id, options);
    if (run.status !== 'completed') throw new RunError(run);
    return outputsOf<R>(run);
  }

  /** The run as it is now. */
  async status(options: CallOptions = {}): Promise<RunView> {
    return this.client.getRun(this.id, options);
  }

  async cancel(options: CallOptions = {}): Promise<void> {
    await this.client.cancel(this.id, options);
  }

  /** Everything that happens, each event once and in order, until the run has ended. */
  events(options: EventsOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return this.client.events(this.id, options);
  }

  /** How each task ended, as they end. */
  results(options: EventsOptions = {}): AsyncGenerator<TaskResult, void, undefined> {
    return this.client.results(this.id, options);
  }
}

/** The type is what the workflow says it returns, from tasks whose outputs were checked when they ended. */
function outputsOf<R>(run: RunView): R;
function outputsOf(run: RunView): unknown {
  return run.outputs ?? {};
}
