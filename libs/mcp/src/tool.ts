import { LatticeError, faultsOf } from '@lattice/contracts';
import { z } from 'zod';
import type { Need, Platform } from './platform';

/** What a tool works with. */
export interface ToolContext {
  readonly platform: Platform;
  /** Aborted when the caller is gone, or the time of the call is over. */
  readonly signal: AbortSignal;
  /** Tells the caller how far it is; nobody listens when they did not ask for it. */
  readonly progress: (step: { done: number; total: number; message: string }) => void;
}

/** Hints for clients; what they mean is in the specification of MCP. */
export interface Hints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  /** Whether it reaches things outside of this platform: tasks may. */
  readonly openWorldHint: boolean;
}

/** It changes nothing. */
export const READS: Hints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
/** It adds something; what is there stays. */
export const ADDS: Hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };

/** A tool as it is listed and called. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly needs: Need;
  readonly hints: Hints;
  /** JSON Schema of the arguments and of the structured result. */
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  /** Where the platform names a place of its own in faults, and where that is among the arguments: begin -> begin. */
  readonly pointers: Readonly<Record<string, string>>;
  /** Checks the arguments and does it. Throws `bad_request` with a fault for each that is wrong, and what the platform throws. */
  call(given: unknown, context: ToolContext): Promise<ToolResult>;
}

/** `text` is for who reads; without it the value as JSON is shown. */
export interface ToolResult {
  readonly value: Record<string, unknown>;
  readonly text?: string | undefined;
}

export interface JsonSchema {
  readonly type: 'object';
  readonly properties?: Record<string, object> | undefined;
  readonly required?: string[] | undefined;
  readonly [keyword: string]: unknown;
}

interface Definition<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly needs: Need;
  readonly hints: Hints;
  readonly input: Input;
  readonly output: Output;
  readonly pointers?: Readonly<Record<string, string>>;
  readonly run: (input: z.output<Input>, context: ToolContext) => Promise<z.input<Output>>;
  /** How the result is shown to who reads text, when not as JSON. */
  readonly text?: (output: z.input<Output>) => string;
}

/** Makes a tool of its schemas and what it does. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: Definition<Input, Output>,
): Tool {
  const { name, title, description, needs, hints, input, output, pointers = {}, run, text } = definition;
  return {
    name,
    title,
    description,
    needs,
    hints,
    inputSchema: schemaOf(input),
    outputSchema: schemaOf(output),
    pointers,
    call: async (given, context) => {
      const value = await run(parseArguments(input, given), context);
      return { value, text: text?.(value) };
    },
  };
}

const jsonSchemaSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), z.looseObject({})).optional(),
  required: z.array(z.string()).optional(),
});

/** The schema as clients are told it. */
export function schemaOf(schema: z.ZodObject): JsonSchema {
  const { $schema: _, ...written } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Assistants pay for every letter, and `format` says the same.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return jsonSchemaSchema.parse(written);
}

/** The arguments of a call; throws `bad_request` with a fault for each that is wrong. */
export function parseArguments<Input extends z.ZodObject>(schema: Input, given: unknown): z.output<Input> {
  const parsed = schema.safeParse(withoutNulls(given));
  if (parsed.success) return parsed.data;
  throw new LatticeError('bad_request', 'The arguments of the call have faults.', { faults: faultsOf(parsed.error) });
}

/** Many callers say null for what they leave out. */
function withoutNulls(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given ?? {};
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}
