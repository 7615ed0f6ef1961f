import type { References } from '@lattice/expression';

/** The names that a document may refer to. */
export interface KnownNames {
  readonly tasks: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
}

/** All that several templates refer to. */
export function mergeReferences(all: readonly References[]): References {
  return {
    tasks: new Set(all.flatMap(({ tasks }) => [...tasks])),
    inputs: new Set(all.flatMap(({ inputs }) => [...inputs])),
    statusOf: new Set(all.flatMap(({ statusOf }) => [...statusOf])),
    allInputs: all.some(({ allInputs }) => allInputs),
    each: all.some(({ each }) => each),
    secrets: new Set(all.flatMap(({ secrets }) => [...secrets])),
  };
}
