import type { RunEvent } from '@lattice/contracts';
import { textFrame } from '../socket/text-frame';

/** Frames are joined up to this size, in bytes, so that what waits for a slow reader stays small. */
const MAX_JOINED = 262_144;

/** All followers of a run share its events, so what is made of one is made once for all of them. */
function onceForEach<T>(make: (event: RunEvent) => T): (event: RunEvent) => T {
  const made = new WeakMap<RunEvent, T>();
  return (event) => {
    const known = made.get(event);
    if (known !== undefined) return known;
    const value = make(event);
    made.set(event, value);
    return value;
  };
}

const frameOf = onceForEach((event) => textFrame(JSON.stringify(event)));

/** What was made of events that begin with one: followers who are as far as each other are given the same ones. */
const joined = new WeakMap<RunEvent, { readonly last: RunEvent; readonly count: number; readonly parts: Buffer[] }>();

/**
 * Events of one run that follow each other, as the frames of a WebSocket: few buffers of many whole frames. Followers of a run mostly
 * get the same events in a turn, so the same buffers go to all of them.
 */
export function framesOfEvents(events: readonly RunEvent[]): readonly Buffer[] {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return [];
  const known = joined.get(first);
  if (known?.last === last && known.count === events.length) return known.parts;
  const parts = join(events.map(frameOf));
  joined.set(first, { last, count: events.length, parts });
  return parts;
}

function join(frames: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0, end = 0; start < frames.length; start = end) {
    let size = 0;
    do size += frames[end++]?.length ?? 0;
    while (size + (frames[end]?.length ?? Infinity) <= MAX_JOINED);
    parts.push(Buffer.concat(frames.slice(start, end), size));
  }
  return parts;
}

/** An event as a server-sent event. */
export const serverSentEvent = onceForEach((event) =>
  Buffer.from(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
);
