import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  durationSchema,
  fault,
  faultsOf,
  ON_FAILURE,
  pointerOf,
  retrySchema,
  workflowNameSchema,
  type Fault,
} from '@lattice/contracts';
import { z } from 'zod';
import { readDocumentFile, type DocumentFile } from '../document/read-document';
import { faulty } from '../document/with-source';
import { fits, isExact } from './glob';

/** The file of a folder that says how its scripts are to be run. */
export const CONFIG_FILE = 'lattice-scripts.yaml';

/** One value may be written without the brackets of a list. */
const asList = (value: unknown): unknown => (Array.isArray(value) ? value : [value]);
const texts = z.preprocess(asList, z.array(z.string().min(1)));

const settingsSchema = z.strictObject({
  timeout: durationSchema.optional().describe('Of one try; then the script is stopped.'),
  allowExit: z
    .preprocess(asList, z.array(z.int().min(0).max(255)).min(1))
    .optional()
    .describe('Exit codes of success, default 0.'),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  interpreter: texts.optional().describe('Run by this program; the file need not be executable.'),
  retry: retrySchema.optional(),
  needs: texts.optional().describe('Scripts that must have succeeded before: paths or patterns.'),
  skip: z
    .union([z.boolean(), z.string().min(1)])
    .optional()
    .describe('Not run; a text says why.'),
});
export type ScriptSettings = z.infer<typeof settingsSchema>;

const configSchema = z.strictObject({
  name: workflowNameSchema.optional().describe('Of the workflow, default that of the folder.'),
  depth: z.int().min(1).max(100).optional(),
  filter: texts.optional(),
  skip: texts.optional(),
  jobs: z.int().min(1).max(1_000).optional(),
  onFailure: z.enum(ON_FAILURE).optional(),
  defaults: settingsSchema.omit({ needs: true, skip: true }).optional(),
  scripts: z
    .record(z.string().min(1), settingsSchema)
    .optional()
    .describe('By path or pattern; of several that fit, the later one adds to the earlier.'),
});
export type ScriptConfig = z.infer<typeof configSchema>;

/** The configuration of a folder, and where it was read from. */
export interface ReadConfig {
  readonly config: ScriptConfig;
  readonly source: DocumentFile | undefined;
}

/** What a folder says of its scripts; empty without such a file. Throws BadInput with all faults and their places. */
export async function readConfig(folder: string, shown: string): Promise<ReadConfig> {
  const file = join(folder, CONFIG_FILE);
  if (!existsSync(file)) return { config: {}, source: undefined };
  const source = { ...(await readDocumentFile(file, folder)), file: join(shown, CONFIG_FILE) };
  const parsed = configSchema.safeParse(source.document);
  if (!parsed.success) throw await faulty(source, faultsOf(parsed.error));
  return { config: parsed.data, source };
}

/**
 * Entries about files that are not there: typing mistakes that would otherwise do nothing in silence. A pattern may well fit nothing
 * today. `known` are all files that were found, run or not. Throws BadInput.
 */
export async function refuseUnknown({ config, source }: ReadConfig, known: readonly string[]): Promise<void> {
  if (source === undefined) return;
  const isThere = (pattern: string): boolean => !isExact(pattern) || known.some((path) => fits(pattern, path));
  const faults = Object.entries(config.scripts ?? {}).flatMap(([pattern, { needs = [] }]) => [
    ...(isThere(pattern) ? [] : [missing(pattern, ['scripts', pattern])]),
    ...needs.flatMap((need, n) => (isThere(need) ? [] : [missing(need, ['scripts', pattern, 'needs', n])])),
  ]);
  if (faults.length > 0) throw await faulty(source, faults);
}

function missing(path: string, pointer: readonly (string | number)[]): Fault {
  const hint = 'Correct the path (relative to the folder), raise the depth, or write a pattern such as db-*.';
  return fault('bad_value', pointerOf(pointer), `no script ${path} was found`, hint);
}

/** All that holds for a script: the defaults, then every entry that fits, in the order of the file. */
export function settingsOf(path: string, config: ScriptConfig): ScriptSettings {
  const fitting = Object.entries(config.scripts ?? {}).filter(([pattern]) => fits(pattern, path));
  return [config.defaults ?? {}, ...fitting.map(([, settings]) => settings)].reduce<ScriptSettings>(
    (all, one) => ({ ...all, ...one, ...(all.env || one.env ? { env: { ...all.env, ...one.env } } : {}) }),
    {},
  );
}
