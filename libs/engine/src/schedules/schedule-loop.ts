import { isConnectionLoss, nextSchedule, noteScheduleError } from '@lattice/persistence';
import { startLoop } from '../loop';
import type { Runtime } from '../runtime';
import { DocumentCache } from '../workflows/document-cache';
import { fireSchedule } from './fire-schedule';

/** Between two looks when nothing is due earlier and no word of a change comes. */
const SWEEP_MS = 5_000;
/** Another scheduler holds what is due. */
const HELD_MS = 50;
/** A schedule that can't be dealt with is left alone for so long. */
const LATER_MS = 10_000;
/** Schedules dealt with side by side when many are due; each takes up to two of the ten connections of the process. */
const WIDTH = 3;
/** How many one of them deals with until the loop looks whether it is to stop. */
const TURN = 50;

/** Fires the ticks of schedules. Any number of schedulers may do so side by side. */
export class ScheduleClock {
  private readonly documents = new DocumentCache();
  /** Schedules left alone, with the end of that in milliseconds of this process's clock. */
  private readonly left = new Map<string, number>();
  private hasFired = false;

  constructor(private readonly runtime: Runtime) {}

  /** Starts the loop; resolves when it hears of changes. The function returned ends it. */
  async start(): Promise<() => Promise<void>> {
    const { log, queue } = this.runtime;
    const loop = startLoop({ name: 'schedules', log, turn: () => this.turn() });
    const wake = (): void => loop.wake();
    const unsubscribe = await queue.bus.subscribe('schedules', { onMessage: wake, onReconnect: wake });
    return async () => {
      await unsubscribe();
      await loop.stop();
    };
  }

  /** One query when nothing is due. Returns milliseconds until the next turn. */
  private async turn(): Promise<number> {
    const wait = await nextSchedule(this.runtime.db, this.leftAlone());
    if (wait === null || wait > 0) {
      this.hasFired = false;
      return Math.min(SWEEP_MS, Math.ceil(wait ?? SWEEP_MS));
    }
    const [width, limit] = this.hasFired ? [WIDTH, TURN] : [1, 1];
    const fired = await Promise.all(Array.from({ length: width }, () => this.fireAll(limit)));
    this.hasFired = fired.some((count) => count > 0);
    return this.hasFired ? 0 : HELD_MS;
  }

  /** Fires one after the other until nothing is due and free. Returns how many there were. */
  private async fireAll(limit: number): Promise<number> {
    let count = 0;
    while (count < limit && (await this.fire())) count += 1;
    return count;
  }

  /** An error of one schedule must not hold up the others, nor lose its ticks: they stay due. */
  private async fire(): Promise<boolean> {
    const { runtime, documents } = this;
    const claimed: string[] = [];
    try {
      return await fireSchedule(runtime, {
        documents,
        except: this.leftAlone(),
        onClaim: (name) => claimed.push(name),
      });
    } catch (error) {
      const [name] = claimed;
      if (name === undefined || isConnectionLoss(error)) throw error;
      this.left.set(name, performance.now() + LATER_MS);
      runtime.log.error({ err: error, schedule: name }, 'a schedule could not be dealt with; it is tried again');
      const message = `The ticks that are due could not be dealt with; they are tried again. ${String(error)}`;
      const at = new Date().toISOString();
      await noteScheduleError(runtime.db, name, { code: 'internal', message: message.slice(0, 2_000), tick: null, at });
      return true;
    }
  }

  private leftAlone(): string[] {
    const now = performance.now();
    for (const [name, until] of this.left) if (until <= now) this.left.delete(name);
    return [...this.left.keys()];
  }
}
