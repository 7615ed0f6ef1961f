import { z } from 'zod';
import { durationSchema } from './duration';
import { labelRuleSchema } from './label-rule';

/** Where a task would rather run: the worker that meets most, by weight, takes it at once, others wait. */
export const preferSchema = z
  .array(
    z.strictObject({
      runsOn: z.record(z.string(), labelRuleSchema),
      weight: z.int().min(1).max(1_000).default(1),
    }),
  )
  .min(1)
  .max(20)
  .describe(
    'A worker that meets all of it takes the task at once; others in proportion to what they miss, within preferWait.',
  );

export const preferWaitSchema = durationSchema.describe(
  'So long a task waits for a worker that it prefers; then any takes it. Default 2s.',
);

export const PLACES = ['pack', 'spread'] as const;
export type Place = (typeof PLACES)[number];
export const placeSchema = z
  .enum(PLACES)
  .describe('pack: the fullest worker that has room takes it first. spread: the emptiest.');

const batchFields = {
  size: z.int().min(1).max(1_000).describe('A batch never has more members.'),
  timeout: z
    .union([durationSchema, z.literal(0)])
    .default('50ms')
    .describe('So long the first member waits for others; 0: not at all.'),
  key: z
    .string()
    .max(1_000)
    .optional()
    .describe('Only tasks of one key come together; may be an expression. Default: one key.'),
};

/** Tasks of one handler, over different runs, that one call does together. */
export const batchSchema = z.strictObject(batchFields);
export type Batch = z.infer<typeof batchSchema>;

const MAX_PATTERN = 100;
/** A pattern that can't take long on a task key: no groups or references, at most three repetitions. */
const patternSchema = z
  .string()
  .max(MAX_PATTERN)
  .refine(
    (text) => !/[()\\]/.test(text.replaceAll(/\\[dwsDWS.]/g, '')),
    'may not hold groups or escapes other than \\d \\w \\s \\.',
  )
  .refine((text) => (text.match(/[*+{]/g) ?? []).length <= 3, 'may hold at most three repetitions')
  .refine((text) => {
    try {
      return new RegExp(text, 'u').source !== '';
    } catch {
      return false;
    }
  }, 'not a regular expression');

/** Batching for all tasks whose key fits, exactly, by its begin or by a pattern; the first rule that fits counts. */
export const batchRulesSchema = z
  .array(
    z.union([
      z.strictObject({ exact: z.string(), ...batchFields }),
      z.strictObject({ prefix: z.string().min(1), ...batchFields }),
      z.strictObject({ regex: patternSchema, ...batchFields }),
    ]),
  )
  .max(100);
export type BatchRules = z.infer<typeof batchRulesSchema>;
