import { z } from 'zod';
import { bigintColumn, smallBigintColumn } from '../columns';
import type { Database, Session } from '../database';
import { prepared } from '../statements';

const READ = prepared('read-watermark');
const RAISE = prepared('raise-lattice-epoch');

/** How far the historian has come, and which Redis it believes. */
export interface Watermark {
  /** Id of the last stream entry that is in Postgres, `0-0` when none is. */
  streamId: string;
  /** Epoch of the platform; `lattice:epoch` in Redis must be equal. 0 before the first start. */
  epoch: number;
  /** Id of the last event, `0` when there is none. */
  lastEventId: string;
}

const rowSchema = z
  .object({ stream_id: z.string(), lattice_epoch: smallBigintColumn, last_event_id: bigintColumn })
  .transform((row): Watermark => ({
    streamId: row.stream_id,
    epoch: row.lattice_epoch,
    lastEventId: row.last_event_id,
  }));

/** The watermark as it is committed. */
export async function readWatermark(session: Session): Promise<Watermark> {
  const [row] = await session.query(READ);
  return rowSchema.parse(row);
}

/**
 * Raises the epoch of the platform, when Redis was lost or is older than Postgres. `lastStreamId` is the last id that the
 * stream of the Redis found has given out (`0-0` for an empty one): where the watermark is ahead of it, it falls back to it,
 * else the entries that are still to come would be taken for known ones.
 */
export async function raiseLatticeEpoch(
  db: Database,
  options: { lastStreamId?: string | undefined } = {},
): Promise<Watermark> {
  return db.transaction(async (session) => {
    // The lock keeps the historian from moving the watermark between the look and the change.
    await session.query('lock table watermark in exclusive mode');
    const { streamId } = await readWatermark(session);
    const last = options.lastStreamId;
    const fallBack = last !== undefined && compareStreamIds(last, streamId) < 0 ? last : null;
    const [row] = await session.query(RAISE, [fallBack]);
    return rowSchema.parse(row);
  });
}

/** Order of two ids of a Redis stream: negative, 0 or positive. */
export function compareStreamIds(a: string, b: string): number {
  const [timeA, numberA] = partsOf(a);
  const [timeB, numberB] = partsOf(b);
  return timeA - timeB || numberA - numberB;
}

function partsOf(id: string): [number, number] {
  const dash = id.indexOf('-');
  return dash < 0 ? [Number(id), 0] : [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}
