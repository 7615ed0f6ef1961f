import { z } from 'zod';

const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);

export const LABEL_OPERATORS = ['=', '!=', '>', '>=', '<', '<=', 'in'] as const;

/** What a label of a worker has to be: a value, or operators with theirs. */
export const labelRuleSchema = z.union([
  scalarSchema,
  z
    .strictObject({
      '=': scalarSchema.optional(),
      '!=': scalarSchema.optional(),
      '>': scalarSchema.optional(),
      '>=': scalarSchema.optional(),
      '<': scalarSchema.optional(),
      '<=': scalarSchema.optional(),
      in: z.array(scalarSchema).min(1).optional(),
    })
    .refine((rule) => Object.keys(rule).length > 0, 'name at least one of = != > >= < <= in'),
]);
export type LabelRule = z.infer<typeof labelRuleSchema>;
