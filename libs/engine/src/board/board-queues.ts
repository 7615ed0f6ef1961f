import { Flows, ROOT_QUEUE, readClasses } from '@lattice/queue';
import type { Engine } from '../context';

type BullQueue = ReturnType<Flows['queueOf']>;

/** The queues of BullMQ that there are now: the roots, and one per resource class. For looking at only. */
export class BoardQueues {
  private readonly flows: Flows;

  constructor(private readonly engine: Engine) {
    this.flows = new Flows(engine.queue);
  }

  async list(): Promise<BullQueue[]> {
    const classes = await readClasses(this.engine.queue);
    const names = [ROOT_QUEUE, ...classes.map(({ name }) => name).sort()];
    return names.map((name) => this.flows.queueOf(name));
  }
}
