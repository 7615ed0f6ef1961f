import { isFinalEvent, isFinalRun, type EventType, type LatticeError, type RunEvent } from '@lattice/contracts';
import { getRunState, readEvents } from '@lattice/persistence';
import type { Engine } from '../context';
import type { Attach } from './listener';
import { Mailbox } from './mailbox';

/** Events read from Postgres at once. */
const PAGE = 500;
/** Events after which a run goes on, whatever it was before. */
const OPENING = new Set<string>(['run.created', 'run.started', 'run.resumed'] satisfies EventType[]);

export interface FollowOptions {
  /** Ends the following quietly, also while it waits. */
  signal?: AbortSignal | undefined;
}

interface Following extends FollowOptions {
  runId: string;
  after: string;
}

/** Replays and follows as LiveHub.follow says. */
export async function* followRun(
  engine: Engine,
  attach: Attach,
  { runId, after, signal }: Following,
): AsyncGenerator<RunEvent, void, undefined> {
  const mailbox = new Mailbox();
  let last = BigInt(after);
  let waiting = false;
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
    position: () => (waiting ? last : undefined),
  });
  signal?.addEventListener('abort', onAbort);
  try {
    while (!isOver()) {
      if (mailbox.takeBehind()) {
        // The state is read before the events: a run that is final now has all its events committed.
        const state = await getRunState(engine.db, runId);
        let ended = state === undefined || isFinalRun(state.status);
        for await (const event of readAll(engine, runId, String(last))) {
          if (isOver()) return;
          last = BigInt(event.id);
          // A run that a rerun has opened again has final events in the middle: those do not count.
          if (isFinalEvent(event.type)) ended = true;
          else if (OPENING.has(event.type)) ended = false;
          yield event;
        }
        if (ended) return;
      }
      for (const event of mailbox.take()) {
        if (isOver()) return;
        if (BigInt(event.id) <= last) continue;
        last = BigInt(event.id);
        yield event;
        if (isFinalEvent(event.type)) return;
      }
      if (isOver()) return;
      waiting = true;
      await mailbox.wait();
      waiting = false;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    detach();
  }
}

async function* readAll(engine: Engine, runId: string, after: string): AsyncGenerator<RunEvent, void, undefined> {
  let last = after;
  for (;;) {
    const page = await readEvents(engine.db, { runId, afterId: last, limit: PAGE });
    yield* page;
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) return;
    last = end.id;
  }
}
