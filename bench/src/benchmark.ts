import type { Bench } from './platform';
import type { Result } from './report';

/** How much is measured: `quick` gives orders of magnitude in a tenth of the time. */
export interface Scale {
  readonly quick: boolean;
  /** Rounds, of which the median counts. */
  readonly rounds: number;
}

export interface Benchmark {
  readonly name: string;
  /** What it measures, for the list of names. */
  readonly about: string;
  run(bench: Bench, scale: Scale): Promise<Result>;
}
