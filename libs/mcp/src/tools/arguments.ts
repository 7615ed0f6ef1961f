import { runIdSchema } from '@lattice/contracts';
import { z } from 'zod';

/** A text as an argument. Postgres can't hold NUL. */
export const textArgument = (max = 200) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\0]*$/, 'may not hold the character NUL');

/** The id of a run as an argument; whether there is such a run, the platform says. */
export const runIdArgument = textArgument().describe('Id of the run.');

/** The id of another run that narrows a search. */
export const otherRunArgument = runIdSchema;

export const taskArgument = textArgument().describe('Key of the task.');

/** A time as an argument. */
export const timeArgument = z.union(
  [z.iso.datetime({ offset: true }), z.iso.date()],
  'not a time: write 2026-01-31 or 2026-01-31T12:00:00Z',
);
