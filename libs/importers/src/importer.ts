import { USES_PATTERN, documentSchema, type Fault, type WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';

/** What a task does whose file tells only what it once did. */
export const BODIES = ['noop', 'sleep'] as const;
export type Body = (typeof BODIES)[number];

export interface ImportOptions {
  readonly body: Body;
  /** Factor on recorded run times, for `sleep`: 0.001 turns seconds into milliseconds. */
  readonly scale: number;
  /** Tasks use `handler/NAME` instead of code; its input is the milliseconds to wait for `sleep`, and null for `noop`. */
  readonly handler?: string | undefined;
}

/** NAME of `handler/NAME`. */
export const handlerNameSchema = z
  .string()
  .refine(
    (name) => USES_PATTERN.test(`handler/${name}`),
    'not the name of a handler: letters, digits, . _ -, up to 100',
  );

export const importedSchema = z.object({
  workflow: documentSchema,
  notes: z
    .array(z.string())
    .describe('What could not be carried over, or was read in a way to know of; a sentence each.'),
  keys: z.record(z.string(), z.string()).describe('Original id -> task key, of the tasks that had to be renamed.'),
});

/** `workflow` is valid: `readDocument` takes it. Pointers of faults go into the imported file. */
export type Imported =
  | {
      readonly ok: true;
      readonly workflow: WorkflowDocument;
      readonly notes: readonly string[];
      readonly keys: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Never throws on bad input. */
export type Importer = (value: unknown, options: ImportOptions) => Imported;
