import type { Report } from './verdict';

/** What a scenario is told. */
export interface Options {
  /** How many runs; each scenario takes its own part of it. */
  readonly runs: number;
  /** 0 to 1, the same sequence for the same seed. */
  readonly random: () => number;
  /** Progress, a line each. */
  readonly say: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  /** What is broken, in a few words. */
  readonly breaks: string;
  run(options: Options): Promise<Report>;
}

/** Numbers that look like chance and come again with the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
