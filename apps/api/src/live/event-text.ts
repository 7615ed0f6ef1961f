import type { RunEvent } from '@lattice/contracts';

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

/** An event as the frame of a WebSocket. */
export const frameOfEvent = onceForEach((event) => Buffer.from(JSON.stringify(event)));

/** An event as a server-sent event. */
export const serverSentEvent = onceForEach((event) =>
  Buffer.from(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
);
