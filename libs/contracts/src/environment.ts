import { z } from 'zod';

const NAME = /^[^=\0]+$/;

/** Name of a variable of an environment. The system would drop others, or take them apart. */
export const variableNameSchema = z
  .string()
  .refine((name) => NAME.test(name), {
    message: 'not a name of a variable: it may not be empty, nor hold "=" or the character NUL',
    params: { code: 'bad_value' },
  })
  .meta({ pattern: '^[^=]+$' });

/** Text of a variable of an environment. The system would cut it at a NUL. */
export const variableTextSchema = z
  .string()
  .refine((text) => !text.includes('\0'), 'a variable may not hold the character NUL');

/** `env` of a document. */
export const environmentSchema = z.record(variableNameSchema, z.union([variableTextSchema, z.number(), z.boolean()]));
