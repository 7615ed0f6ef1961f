import { CONTROL_CLASS } from '@lattice/flow';
import { ClassQueue, TakeLoop, tellReady, type Disposal, type Taken } from '@lattice/queue';
import type { AttemptContext } from '../attempt/execute';
import { readControl } from '../control/control-message';
import { runJob } from '../attempt/run-job';
import type { Runtime } from '../runtime';
import { STEP_NONCE, STEP_OWNER } from './step-owner';
import { StepSlots, type Slot } from './step-slots';
import { asksOthers, takeStep } from './take-step';

const SWEEP_MS = 1_000;
/** With a lock of 15 s and two of these, the step of a scheduler that died is taken again within 20 s. */
const STALLED_MS = 2_000;

/**
 * Takes the jobs of the class `control`: tasks that hold no worker. Every step may be repeated, and by another scheduler, so
 * all of them begin attempts under one name; an attempt that waits has its job put aside, and nobody holds anything.
 */
export class ControlLoop {
  private readonly loop: TakeLoop<Slot>;
  private readonly context: AttemptContext;
  private readonly slots = new StepSlots(() => this.loop.wake([CONTROL_CLASS.name]));
  private unsubscribe: (() => Promise<void>)[] = [];

  constructor(private readonly runtime: Runtime) {
    this.context = {
      runtime,
      workerId: STEP_OWNER,
      nonce: () => STEP_NONCE,
      levelOf: () => undefined,
      perform: (attempt) => {
        const step = (): ReturnType<typeof takeStep> => takeStep(runtime, attempt);
        return asksOthers(attempt.task.control) ? this.slots.beside(step) : step();
      },
    };
    this.loop = new TakeLoop({
      ledger: this.slots,
      work: (taken, signal) => this.work(taken, signal),
      onError: (error) => runtime.log.warn({ err: error }, 'taking steps'),
      onReleased: (classes) => void tellReady(runtime.queue, classes),
      lockMs: runtime.settings.lock,
      sweepMs: SWEEP_MS,
    });
  }

  async start(): Promise<void> {
    const { queue, settings, log } = this.runtime;
    const wake = (): void => this.loop.wake([CONTROL_CLASS.name]);
    this.unsubscribe = [
      await queue.bus.subscribe('steps', { onMessage: wake, onReconnect: wake }),
      await queue.bus.subscribe('control', { onMessage: (text) => this.control(text) }),
    ];
    const jobs = new ClassQueue({
      queue,
      className: CONTROL_CLASS.name,
      version: this.runtime.pin.version,
      workerId: STEP_OWNER,
      lockMs: settings.lock,
      stalledMs: STALLED_MS,
      onStalled: wake,
    });
    this.loop.start();
    this.loop.add(jobs);
    jobs.watchStalled().catch((error: unknown) => log.warn({ err: error }, 'watching for stalled steps'));
  }

  async stop(): Promise<void> {
    for (const end of this.unsubscribe) await end();
    await this.loop.drain();
    await this.loop.close();
  }

  private async work(taken: Taken, signal: AbortSignal): Promise<Disposal> {
    try {
      return await runJob(this.context, taken, signal);
    } catch (error) {
      this.runtime.log.error({ err: error, runId: taken.runId, taskKey: taken.taskKey }, 'a step could not be taken');
      return { do: 'leave' };
    }
  }

  private control(text: string): void {
    if ('stopAll' in readControl(text)) this.loop.abort(() => true, 'heartbeat_lost');
  }
}
