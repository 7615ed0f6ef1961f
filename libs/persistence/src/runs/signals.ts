import { z } from 'zod';
import type { Database, Session } from '../database';
import { prepared } from '../statements';

const SEND_SIGNAL = prepared('send-signal');
const TAKE_SIGNAL = prepared('take-signal');

/** Something said to a run. */
export interface Signal {
  readonly payload: unknown;
  /** Who sent it. */
  readonly sender: string;
}

const rowSchema = z.object({ payload: z.string(), sender: z.string() });

/** Keeps a signal for the run until a task takes it. */
export async function sendSignal(session: Session, signal: Signal & { runId: string; name: string }): Promise<void> {
  const { runId, name, payload, sender } = signal;
  await session.query(SEND_SIGNAL, [runId, name, JSON.stringify(payload ?? null), sender]);
}

/**
 * Takes the oldest signal of a name that no task has; asked again by the same taker it gives the same one. Undefined when there
 * is none.
 */
export async function takeSignal(
  db: Database,
  { runId, name, taker }: { runId: string; name: string; taker: string },
): Promise<Signal | undefined> {
  const [row] = await db.query(TAKE_SIGNAL, [runId, name, taker]);
  if (row === undefined) return undefined;
  const { payload, sender } = rowSchema.parse(row);
  return { payload: JSON.parse(payload) as unknown, sender };
}
