import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler } from '@lattice/executor';
import { z } from 'zod';

const moduleSchema = z.object({
  handlers: z.record(
    z.string(),
    z.custom<Handler>((value) => typeof value === 'function', 'not a function'),
  ),
});

/**
 * Loads the modules that LATTICE_HANDLERS names, each exporting `handlers: { NAME: (input, ctx) => output }`. A module that
 * fails to load, exports something else, or a name that comes twice, is an error: a worker without them must not start.
 */
export async function loadHandlers(paths: readonly string[]): Promise<Map<string, Handler>> {
  const all = new Map<string, Handler>();
  for (const path of paths) {
    for (const [name, handler] of Object.entries(await loadModule(path))) {
      if (all.has(name))
        throw new Error(`LATTICE_HANDLERS: handler "${name}" of ${path} is there already; rename one of the two`);
      all.set(name, handler);
    }
  }
  return all;
}

async function loadModule(path: string): Promise<Record<string, Handler>> {
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new Error(
      `LATTICE_HANDLERS: ${path} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const direct = moduleSchema.safeParse(loaded);
  if (direct.success) return direct.data.handlers;
  const byDefault = moduleSchema.safeParse(
    typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined,
  );
  if (byDefault.success) return byDefault.data.handlers;
  throw new Error(`LATTICE_HANDLERS: ${path} must export handlers: { NAME: (input, ctx) => output }`);
}
