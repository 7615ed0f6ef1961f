import type { RunEvent } from '@lattice/contracts';

const texts = new WeakMap<RunEvent, string>();

/** JSON of an event. All followers of a run share its events, so it is made once for all of them. */
export function textOfEvent(event: RunEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = JSON.stringify(event);
  texts.set(event, text);
  return text;
}
