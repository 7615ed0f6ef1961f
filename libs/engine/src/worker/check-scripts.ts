import { stat } from 'node:fs/promises';

/** Throws when the folder of scripts, if there is to be one, is none: the worker would take tasks only to fail them. */
export async function checkScripts(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const info = await stat(folder).catch(() => undefined);
  if (info?.isDirectory() !== true)
    throw new Error(`LATTICE_SCRIPTS: ${folder} is not a folder; make it, or leave the setting out`);
}
