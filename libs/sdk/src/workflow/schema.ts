import type { InputDeclaration } from '@lattice/contracts';
import { z } from 'zod';
import { pathOf } from './reference';

/** What describes a value: a zod schema, or the fields of an object. */
export type SchemaLike = z.ZodType | z.ZodRawShape;

/** The schema that is meant. */
export type SchemaOf<S> = S extends z.ZodType ? S : S extends z.ZodRawShape ? z.ZodObject<S> : z.ZodUndefined;

/** What has to be given where the schema stands: fields with a default may be missing. */
export type Given<S> = S extends SchemaLike ? z.input<SchemaOf<S>> : undefined;
/** What comes of it once it was checked. */
export type Checked<S> = S extends SchemaLike ? z.output<SchemaOf<S>> : unknown;

/** The zod schema of either way of writing. */
export function schemaOf(schema: SchemaLike): z.ZodType {
  return isSchema(schema) ? schema : z.object(schema);
}

/** Fields that have to be given, and are not. Of what is no object with fields nothing can be said before it runs. */
export function missingIn(schema: SchemaLike | undefined, given: unknown): string[] {
  if (schema === undefined || pathOf(given) !== undefined) return [];
  const whole = schemaOf(schema);
  if (!isObject(whole)) return [];
  const there = new Map(Object.entries(given ?? {}));
  return Object.entries(whole.shape)
    .filter(([name, field]) => there.get(name) === undefined && !z.safeParse(field, undefined).success)
    .map(([name]) => name);
}

function isObject(schema: z.ZodType): schema is z.ZodObject<z.ZodRawShape> {
  return schema instanceof z.ZodObject;
}

function isSchema(schema: SchemaLike): schema is z.ZodType {
  return '_zod' in schema && 'safeParse' in schema && typeof schema.safeParse === 'function';
}

const DECLARED = ['string', 'number', 'integer', 'boolean', 'object', 'array'] as const;

const typeSchema = z.object({
  properties: z
    .record(
      z.string(),
      z.object({ type: z.enum(DECLARED).optional().catch(undefined), description: z.string().optional() }),
    )
    .default({}),
});

/** The inputs of a document that stand for these fields. What a declaration can't say is checked by `run` alone. */
export function declarationsOf(shape: z.ZodRawShape): Record<string, InputDeclaration> {
  const { properties } = typeSchema.parse(z.toJSONSchema(z.object(shape), { io: 'output', unrepresentable: 'any' }));
  return Object.fromEntries(
    Object.entries(shape).map(([name, field]) => {
      const { type = 'any', description } = properties[name] ?? {};
      const missing = z.safeParse(field, undefined);
      const byDefault = missing.success && missing.data !== undefined ? jsonOf(missing.data) : undefined;
      return [
        name,
        {
          type,
          required: !missing.success,
          ...(byDefault === undefined ? {} : { default: byDefault }),
          ...(description === undefined ? {} : { description }),
        },
      ];
    }),
  );
}

function jsonOf(value: unknown): z.infer<ReturnType<typeof z.json>> | undefined {
  const parsed = z.json().safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
