import { automatonOf, type Automaton } from './automaton';
import { patternsOf, SHORTEST } from './patterns';

/** What stands where a secret was. */
export const MASK = '***';

/** Masks a text that comes in pieces. */
export interface StreamMask {
  /** What may be passed on by now; the end of a piece is held back while a secret could begin there. */
  write(text: string): string;
  /** What was held back. */
  end(): string;
}

/** Knows some secrets, and takes them out of texts. */
export interface Mask {
  text(text: string): string;
  stream(): StreamMask;
}

/** A mask for the values of secrets, in all the forms that `patternsOf` knows. */
export function maskOf(secrets: Iterable<string>): Mask {
  const patterns = [...new Set([...secrets].flatMap(patternsOf))];
  const automaton = automatonOf(patterns);
  let reversed: Automaton | undefined;
  return {
    text: (text) => {
      if (text.length < SHORTEST) return text;
      const masked = new Uint8Array(text.length);
      find(automaton, text, masked);
      // A text may be the end of a longer one, and begin in the midst of a secret.
      const backward = new Uint8Array(text.length);
      find((reversed ??= automatonOf(patterns.map(reverse))), reverse(text), backward);
      for (const [at, found] of backward.reverse().entries()) masked[at] ||= found;
      return render(text, masked);
    },
    stream: () => streamOf(automaton),
  };
}

/** Marks what the automaton finds from `from` on, where it has the state given; returns the state at the end. */
function find(
  automaton: Automaton,
  text: string,
  masked: Uint8Array,
  { from, state }: Place = { from: 0, state: 0 },
): number {
  const lengths = new Int32Array(text.length);
  let now = state;
  for (let at = from; at < text.length; at += 1) {
    now = automaton.next(now, text.charCodeAt(at));
    lengths[at] = automaton.matched(now);
  }
  for (let at = text.length - 1, left = 0; at >= 0; at -= 1, left -= 1) {
    left = Math.max(left, lengths[at] ?? 0);
    if (left > 0) masked[at] = 1;
  }
  return now;
}

interface Place {
  readonly from: number;
  readonly state: number;
}

function render(text: string, masked: Uint8Array): string {
  if (!masked.includes(1)) return text;
  coverPairs(text, masked);
  let out = '';
  for (let at = 0; at < text.length;) {
    const isMasked = masked[at] === 1;
    const next = masked.indexOf(isMasked ? 0 : 1, at);
    const end = next === -1 ? text.length : next;
    out += isMasked ? MASK : text.slice(at, end);
    at = end;
  }
  return out;
}

/** A character of two units is masked as a whole. */
function coverPairs(text: string, masked: Uint8Array): void {
  for (let at = 0; at + 1 < text.length; at += 1) {
    if (masked[at] === masked[at + 1] || (text.codePointAt(at) ?? 0) < 0x10000) continue;
    masked[at] = 1;
    masked[at + 1] = 1;
  }
}

function reverse(text: string): string {
  return Buffer.from(text, 'utf16le').reverse().swap16().toString('utf16le');
}

function streamOf(automaton: Automaton): StreamMask {
  let state = 0;
  let held = '';
  let heldMasked = new Uint8Array(0);
  /** What was passed on last was a mask: what goes on with it adds none. */
  let inMask = false;

  function pass(text: string, masked: Uint8Array): string {
    if (text === '') return '';
    const rendered = render(text, masked);
    const again = inMask && masked[0] === 1;
    inMask = masked.at(-1) === 1;
    return again ? rendered.slice(MASK.length) : rendered;
  }

  return {
    write(more) {
      const text = held + more;
      const masked = new Uint8Array(text.length);
      masked.set(heldMasked);
      state = find(automaton, text, masked, { from: held.length, state });
      // Whatever can still become a secret begins here.
      const free = text.length - automaton.depth(state);
      held = text.slice(free);
      heldMasked = masked.slice(free);
      return pass(text.slice(0, free), masked.subarray(0, free));
    },
    end() {
      const rest = pass(held, heldMasked);
      [state, held, heldMasked, inMask] = [0, '', new Uint8Array(0), false];
      return rest;
    },
  };
}
