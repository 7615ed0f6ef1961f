import { LatticeError, faultsOf, parseDuration } from '@lattice/contracts';
import type { Request } from 'express';
import { z } from 'zod';

/** Text that Postgres can hold: it refuses NUL in every text column. */
const storable = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0]*$/, 'may not hold the character NUL');

/** A text of a query. */
export const queryText = storable(200);
/** An integer of a query, within limits. */
export const queryInteger = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'not an integer')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .meta({ type: 'integer', minimum: min, maximum: max });
/** A factor of a query: a number, 0 or more. */
export const queryFactor = z
  .string()
  .refine((text) => /^\d*\.?\d+(e-?\d+)?$/i.test(text), 'not a number, 0 or more')
  .transform(Number)
  .pipe(z.number().min(0))
  .meta({ type: 'number', minimum: 0 });
/** `true` or `false`. */
export const queryFlag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ type: 'boolean' });
/** The id of an event or a log entry: a bigint of Postgres as text. */
export const queryId = z.string().regex(/^\d{1,18}$/, 'not the id of an event');
/** A duration of a query in milliseconds; more than `max` counts as `max`. */
export const queryDuration = (max: number) =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'not a duration: write 500ms, 30s, 5m')
    .transform((text) => Math.min(parseDuration(text) ?? max, max));
/** A time of a query: a date, or ISO 8601 with a zone. */
export const queryTime = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'not a time: write 2026-01-31 or 2026-01-31T12:00:00Z')
  .transform((text) => new Date(text));
/** A value that may be given several times. */
export const queryList = z
  .union([queryText, z.array(queryText)])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** To make a schema takes longer than all the rest of a small request; shapes are constants of their modules. */
const schemas = new WeakMap<object, z.ZodType>();

function schemaOf(shape: z.ZodRawShape): z.ZodType {
  const known = schemas.get(shape);
  if (known !== undefined) return known;
  const made = z.strictObject(shape);
  schemas.set(shape, made);
  return made;
}

/** The query of a request, checked; throws `bad_request` with a fault per parameter. Unknown parameters are faults too. */
export function readQuery<Shape extends z.ZodRawShape>(request: Request, shape: Shape): z.infer<z.ZodObject<Shape>> {
  const parsed = schemaOf(shape).safeParse({ ...request.query });
  // What a schema of this shape gives; the map can't say so.
  if (parsed.success) return parsed.data as z.infer<z.ZodObject<Shape>>;
  const faults = faultsOf(parsed.error, ['query']);
  throw new LatticeError('bad_request', 'The query of the request has faults.', { faults });
}
