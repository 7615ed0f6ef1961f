import type { Engine } from '@lattice/engine';
import { Inject } from '@nestjs/common';

/** The token of the engine: an interface has none by itself. */
export const ENGINE = Symbol('Engine');

export const InjectEngine = () => Inject(ENGINE);
export type { Engine };
