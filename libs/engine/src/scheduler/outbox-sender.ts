import { claimOrders, claimOutbox, nextDue, type OutboxRow, type OutboxVerdict } from '@lattice/persistence';
import { readEpoch, untilBeat } from '@lattice/queue';
import type { Admissions } from '../admission/admissions';
import type { Runtime } from '../runtime';
import { send } from './enqueue';

const BATCH = 100;
/** A row that failed is tried again after so long. */
const LATER_MS = 2_000;
/** A row that has to wait for something is tried again after so long. */
const SOON_MS = 250;
const SWEEP_MS = 1_000;
/** Orders are looked for so long after the last one: some have to wait for another. */
const LOOK_MS = 2_000;
/** Until somebody tells. */
const IDLE_MS = 60_000;

/** Sends what is due of the outbox. Without a word that there is something, one look at it is all that a turn costs. */
export class OutboxSender {
  private told = true;

  constructor(
    private readonly runtime: Runtime,
    private readonly admissions: Admissions,
  ) {}

  /** Something is due. */
  tell(): void {
    this.told = true;
  }

  /** Returns milliseconds until there may be more. */
  async turn(): Promise<number> {
    if (!this.told) {
      const due = await nextDue(this.runtime.db);
      if (due === null || due > 0) return due === null || due > SWEEP_MS ? untilBeat(SWEEP_MS) : Math.max(due, 5);
    }
    this.told = false;
    const count = await sendDue(this.runtime, this.admissions);
    // A Redis that is not initialised is empty, or about to be recovered.
    if (count === undefined) return SOON_MS;
    if (count === BATCH) this.tell();
    // Rows that are due and could not be had are in the hands of another scheduler.
    return count > 0 || this.told ? 0 : 5;
  }
}

/**
 * Sends what controls runs, beside the sender: an order waits for none of the runs that are to be started. Looks only when it is
 * told, and for a while after; the sender has the orders that nobody told of.
 */
export class OrderSender {
  private lookUntil = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly admissions: Admissions,
  ) {}

  /** There is an order. */
  tell(): void {
    this.lookUntil = performance.now() + LOOK_MS;
  }

  /** Returns milliseconds until there may be more. */
  async turn(): Promise<number> {
    if (performance.now() > this.lookUntil) return IDLE_MS;
    const count = await sendDue(this.runtime, this.admissions, claimOrders);
    if (count === undefined || count === 0) return SOON_MS;
    this.tell();
    return 0;
  }
}

/** How many rows were due; undefined when Redis may not be written to now: what is sent then would be taken for lost. */
async function sendDue(
  runtime: Runtime,
  admissions: Admissions,
  claim: typeof claimOutbox = claimOutbox,
): Promise<number | undefined> {
  const epoch = readEpoch(runtime.queue);
  // Asked beside the claim; should that fail, nobody waits for it.
  epoch.catch(() => undefined);
  let initialised = true;
  const count = await claim(runtime.db, BATCH, async (rows) => {
    initialised = (await epoch) !== undefined;
    return initialised ? sendRows(runtime, admissions, rows) : { done: [] };
  });
  return initialised ? count : undefined;
}

async function sendRows(runtime: Runtime, admissions: Admissions, rows: readonly OutboxRow[]): Promise<OutboxVerdict> {
  const done: string[] = [];
  const later: { id: string; delayMs: number }[] = [];
  const sendOne = async (row: OutboxRow): Promise<void> => {
    try {
      const sent = await send(runtime, admissions, row);
      if (sent === true) done.push(row.id);
      else later.push({ id: row.id, delayMs: sent === false ? SOON_MS : sent });
    } catch (error) {
      runtime.log.error(
        { err: error, runId: row.runId, kind: row.kind },
        'an outbox row could not be sent; it is tried again',
      );
      later.push({ id: row.id, delayMs: LATER_MS });
    }
    await runtime.race?.('after-outbox-send', { runId: row.runId });
  };
  await Promise.all(
    byRun(rows).map(async (ofRun) => {
      for (const row of ofRun) await sendOne(row);
    }),
  );
  return { done, later };
}

/** What is asked of one run is done in the order in which it was asked: a pause and a resume may come together. */
function byRun(rows: readonly OutboxRow[]): OutboxRow[][] {
  const runs = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const known = runs.get(row.runId);
    if (known === undefined) runs.set(row.runId, [row]);
    else known.push(row);
  }
  return [...runs.values()];
}
