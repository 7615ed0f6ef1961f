import { Flows, ROOT_QUEUE, readClasses, withLimit } from '@lattice/queue';
import type { Engine } from '../context';

/** Commands wait for a Redis that is away; who looks at the queues does not. */
const LIMIT_MS = 5_000;

type BullQueue = ReturnType<Flows['queueOf']>;

/** The queues of BullMQ that there are now: the roots, and one per resource class. For looking at only. */
export class BoardQueues {
  private readonly flows: Flows;

  constructor(private readonly engine: Engine) {
    this.flows = new Flows(engine.queue);
  }

  async list(): Promise<BullQueue[]> {
    const classes = await withLimit(readClasses(this.engine.queue), LIMIT_MS, 'Redis does not answer.');
    const names = classes.map(({ name }) => name).sort();
    return [this.flows.queueOf(ROOT_QUEUE), ...names.map((name) => this.flows.classQueue(name))];
  }
}
