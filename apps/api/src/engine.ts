import type { Engine } from '@lattice/engine';

/** The token of the engine: an interface has none by itself. */
export const ENGINE = Symbol('Engine');

export type { Engine };
