import { z } from 'zod';
import { durationOf } from './go-duration';

const textSchema = z.string().nullish();
const jsonObject = z.record(z.string(), z.json());
const durationSchema = z.string().refine((text) => durationOf(text) !== undefined, {
  message: 'not a duration such as 30s, 5m, 1h30m',
  params: { code: 'bad_duration' },
});

/** A state as a file has it, whatever its type. */
export const stateSchema = z.looseObject({
  id: textSchema,
  name: textSchema,
  type: z.string().min(1),
  input: jsonObject.nullish(),
  output: jsonObject.nullish(),
  transition: textSchema,
  next: textSchema,
  end: z.boolean().nullish(),
  retry: z
    .strictObject({
      max_attempts: z.int().min(0).max(100).nullish(),
      backoff: textSchema,
      retry_on: z.array(z.string()).nullish(),
    })
    .nullish(),
  timeout: durationSchema.nullish(),
  description: textSchema,
  operation: textSchema,
  agent: textSchema,
  task: textSchema,
  agentTask: textSchema,
  prompt: textSchema,
  message: textSchema,
  approval_title: textSchema,
  approvers: z.array(z.string()).nullish(),
  dataPath: textSchema,
  conditions: z.array(z.strictObject({ if: z.string().min(1), next: z.string().min(1) })).nullish(),
  defaultNext: textSchema,
  data: jsonObject.nullish(),
  resultPath: textSchema,
  branches: z
    .array(
      z.looseObject({
        id: textSchema,
        name: textSchema,
        start: textSchema,
        agent: textSchema,
        states: z.array(z.unknown()).nullish(),
      }),
    )
    .nullish(),
  join: z.strictObject({ mode: z.literal('all').nullish() }).nullish(),
  itemsPath: textSchema,
  itemName: textSchema,
  itemVariable: textSchema,
  maxConcurrency: z.int().nullish(),
  iterator: z.unknown().optional(),
  cron: textSchema,
  timezone: textSchema,
  enabled: z.boolean().nullish(),
  duration: durationSchema.nullish(),
  try: z.unknown().optional(),
  catch: z.unknown().optional(),
  finally: z.unknown().optional(),
  expression: textSchema,
  inputPath: textSchema,
  outputPath: textSchema,
  outputAggregation: textSchema,
});
export type Spec = z.infer<typeof stateSchema>;

/** States within a state. */
export const blockSchema = z.looseObject({ start: textSchema, states: z.array(z.unknown()).min(1) });

const headSchema = z.looseObject({
  id: z.string().min(1),
  name: textSchema,
  version: z.union([z.string(), z.number()]).nullish(),
  description: textSchema,
  inputSchema: z
    .looseObject({
      properties: z.record(z.string(), z.looseObject({})).nullish(),
      required: z.array(z.string()).nullish(),
    })
    .nullish(),
});
export const fileSchema = headSchema.extend({ start: textSchema, states: z.array(z.unknown()).min(1) });
export type Head = z.infer<typeof headSchema>;
