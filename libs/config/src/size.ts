import { parseSize } from '@lattice/contracts';
import { z } from 'zod';

/** A size such as 65536, 64Ki or 8Mi, in bytes. */
export const size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, 'not a size (65536, 64Ki, 8Mi)')
  .transform((text) => parseSize(text) ?? 0);
