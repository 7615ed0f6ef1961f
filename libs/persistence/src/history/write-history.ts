import type { EventType, RunStatus, TaskStatus } from '@lattice/contracts';
import { z } from 'zod';
import { bigintColumn } from '../columns';
import type { Session } from '../database';
import { isDataRefusal } from '../refusals';
import { prepared } from '../statements';
import { RANKS, collapse, type RunChange, type TaskChange } from './collapse';
import { withoutData, type HistoryEntry } from './entry';

const WRITE = prepared('write-history');
const INSERT_FAULTY = prepared('insert-faulty-event');

/** An entry whose data Postgres, or the catalogue of events, refused. */
export interface HistoryFault {
  streamId: string;
  error: string;
}

/** What became of a batch. */
export interface HistoryResult {
  /** Id of the event for each entry, in order; null when it was in history before, or was refused and left no event. */
  ids: (string | null)[];
  faults: HistoryFault[];
}

/** The watermark stands elsewhere than this writer thought: another one wrote, or the epoch was raised. Nothing was written. */
export class WatermarkMoved extends Error {
  constructor(expected: string) {
    super(`The watermark no longer stands at ${expected}.`);
    this.name = 'WatermarkMoved';
  }
}

const baseSchema = z.object({ base: bigintColumn });

/**
 * Commits entries that follow `from`, the stream id of the watermark, in one statement. When their data is refused the
 * halves are committed each by itself, down to the entry that is at fault: that one goes to `faulty_events`, and what
 * it says without its data goes into history. Throws {@link WatermarkMoved}, and what the driver throws.
 */
export async function writeHistory(
  session: Session,
  from: string,
  entries: readonly HistoryEntry[],
): Promise<HistoryResult> {
  const last = entries.at(-1);
  if (last === undefined) return { ids: [], faults: [] };
  try {
    return { ids: await commit(session, from, last.streamId, entries), faults: [] };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return entries.length === 1 ? commitFaulty(session, from, last, error) : commitHalves(session, from, entries);
  }
}

async function commitHalves(session: Session, from: string, entries: readonly HistoryEntry[]): Promise<HistoryResult> {
  const middle = entries.length >> 1;
  const left = entries.slice(0, middle);
  const first = await writeHistory(session, from, left);
  const second = await writeHistory(session, left.at(-1)?.streamId ?? from, entries.slice(middle));
  return { ids: [...first.ids, ...second.ids], faults: [...first.faults, ...second.faults] };
}

async function commitFaulty(
  session: Session,
  from: string,
  entry: HistoryEntry,
  error: unknown,
): Promise<HistoryResult> {
  const { streamId } = entry;
  // JSON.stringify escapes what text can't hold: NUL and halves of surrogate pairs.
  const message = JSON.stringify(error instanceof Error ? error.message : String(error)).slice(1, -1);
  await session.query(INSERT_FAULTY, [streamId, JSON.stringify(entry), message]);
  const faults = [{ streamId, error: message }];
  const stand = withoutData(entry);
  if (stand !== undefined) {
    try {
      return { ids: await commit(session, from, streamId, [stand]), faults };
    } catch (again) {
      if (!isRefusal(again)) throw again;
    }
  }
  await commit(session, from, streamId, []);
  return { ids: [null], faults };
}

/** Refused by Postgres, or by us: data that is no JSON, not what the catalogue says, or nested too deep; a contradiction. */
function isRefusal(error: unknown): boolean {
  return error instanceof UnreadableEntry || isDataRefusal(error);
}

class UnreadableEntry extends Error {}

/** One statement, one roundtrip, one transaction. */
async function commit(session: Session, from: string, to: string, entries: readonly HistoryEntry[]): Promise<string[]> {
  const [row] = await session.query(WRITE, [
    from,
    to,
    entries.length,
    ...eventColumns(entries),
    ...changeColumns(entries),
  ]);
  if (row === undefined) throw new WatermarkMoved(from);
  const base = BigInt(baseSchema.parse(row).base);
  return entries.map((_, index) => String(base + BigInt(index + 1)));
}

function changeColumns(entries: readonly HistoryEntry[]): unknown[] {
  let changes: ReturnType<typeof collapse>;
  try {
    changes = collapse(entries);
  } catch (error) {
    throw new UnreadableEntry(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return [...taskColumns(changes.tasks), ...runColumns(changes.runs), changes.tasks.map((change) => change.cachedFrom)];
}

function eventColumns(entries: readonly HistoryEntry[]): unknown[] {
  return [
    entries.map((entry) => entry.runId),
    entries.map((entry) => entry.taskKey),
    arrayOf(entries.map((entry) => entry.attempt)),
    arrayOf(entries.map((entry) => entry.type)),
    arrayOf(entries.map((entry) => entry.at)),
    entries.map((entry) => entry.data),
  ];
}

function taskColumns(changes: readonly TaskChange[]): unknown[] {
  return [
    changes.map((change) => change.runId),
    changes.map((change) => change.key),
    arrayOf(changes.map((change) => change.epoch)),
    arrayOf(changes.map((change) => change.attempt)),
    arrayOf(changes.map((change) => change.attempts)),
    arrayOf(changes.map((change) => change.status)),
    arrayOf(changes.map((change) => RANKS[change.status])),
    changes.map((change) => change.workerId),
    arrayOf(changes.map((change) => change.queuedAt)),
    arrayOf(changes.map((change) => change.startedAt)),
    arrayOf(changes.map((change) => change.finishedAt)),
    changes.map((change) => change.output),
    arrayOf(changes.map((change) => change.outputBytes)),
    changes.map((change) => change.error),
    changes.map((change) => change.reason),
  ];
}

function runColumns(changes: readonly RunChange[]): unknown[] {
  return [
    changes.map((change) => change.runId),
    arrayOf(changes.map((change) => change.epoch)),
    arrayOf(changes.map((change) => change.status)),
    arrayOf(changes.map((change) => change.startedAt)),
    arrayOf(changes.map((change) => change.finishedAt)),
    changes.map((change) => change.outputs),
    changes.map((change) => change.error),
    changes.map((change) => change.reason),
  ];
}

/** An array literal of values that need no quotes: numbers and the names of types and states. The driver would quote each. */
function arrayOf(values: readonly (number | EventType | TaskStatus | RunStatus | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}
