import { isFinalEvent, isFinalRun, type EventType, type LatticeError, type RunEvent } from '@lattice/contracts';
import { getRunState, readEvents } from '@lattice/persistence';
import type { Engine } from '../context';
import type { Attach } from './listener';
import { Mailbox } from './mailbox';
import type { Turns } from './turns';

/** Events read from Postgres at once. */
const PAGE = 200;
/** Events after which a run goes on, whatever it was before. */
const OPENING = new Set<string>(['run.created', 'run.started', 'run.resumed'] satisfies EventType[]);

export interface FollowOptions {
  /** Ends the following quietly, also while it waits. */
  signal?: AbortSignal | undefined;
}

interface Following extends FollowOptions {
  runId: string;
  after: string;
  turns: Turns;
}

/** Replays and follows as LiveHub.follow says. */
export async function* followRun(
  engine: Engine,
  attach: Attach,
  { runId, after, turns, signal }: Following,
): AsyncGenerator<readonly RunEvent[], void, undefined> {
  const mailbox = new Mailbox(turns);
  let last = BigInt(after);
  let stopped: LatticeError | undefined;
  const isOver = () => {
    if (stopped !== undefined) throw stopped;
    return signal?.aborted === true;
  };
  const onAbort = () => mailbox.notify();
  const detach = await attach(runId, {
    deliver: (event, size) => mailbox.deliver(event, size),
    check: () => mailbox.markBehind(),
    stop: (reason) => {
      stopped = reason;
      mailbox.notify();
    },
  });
  signal?.addEventListener('abort', onAbort);
  try {
    while (!isOver()) {
      if (mailbox.takeBehind()) {
        // The state is read before the events: a run that is final now has all its events committed.
        const state = await getRunState(engine.db, runId);
        const isFinal = state === undefined || isFinalRun(state.status);
        let ended = isFinal;
        for await (const page of readAll(engine, runId, String(last))) {
          if (isOver()) return;
          for (const { id, type } of page) {
            last = BigInt(id);
            // A run that a rerun has opened again has final events in the middle: those do not count.
            if (isFinalEvent(type)) ended = true;
            else if (OPENING.has(type)) ended = false;
          }
          yield page;
        }
        if (ended && isFinal) return;
        // The last event is final and the state was not: the run ended meanwhile, or a rerun has opened it, whose first event is
        // still to come. The next look tells; a final event and its state are committed together.
        if (ended) {
          mailbox.markBehind();
          continue;
        }
      }
      const events = mailbox.take();
      // Whoever asked for what comes after an id beyond the last of the run is never given its end: the state tells him.
      if (events.some(({ id, type }) => BigInt(id) <= last && isFinalEvent(type))) mailbox.markBehind();
      const fresh = upToEnd(events, last);
      const end = fresh.at(-1);
      if (end !== undefined) {
        last = BigInt(end.id);
        yield fresh;
        if (isFinalEvent(end.type)) return;
      }
      if (isOver()) return;
      await mailbox.wait();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    detach();
  }
}

/** The events after the id, up to the first that ends the run. */
function upToEnd(events: readonly RunEvent[], after: bigint): readonly RunEvent[] {
  const fresh = events.filter(({ id }) => BigInt(id) > after);
  const end = fresh.findIndex(({ type }) => isFinalEvent(type));
  return end === -1 ? fresh : fresh.slice(0, end + 1);
}

async function* readAll(engine: Engine, runId: string, after: string): AsyncGenerator<RunEvent[], void, undefined> {
  let last = after;
  for (;;) {
    const page = await readEvents(engine.db, { runId, afterId: last, limit: PAGE });
    const end = page.at(-1);
    if (end === undefined) return;
    yield page;
    if (page.length < PAGE) return;
    last = end.id;
  }
}
