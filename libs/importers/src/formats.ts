import type { Importer } from './importer';
import { importCodomyrmex } from './codomyrmex/import-codomyrmex';
import { importStation } from './station/import-station';
import { importWfFormat } from './wfformat/import-wfformat';

/** Every format that can be imported, by the name it has in URLs and on the command line. */
export const importers = {
  wfformat: importWfFormat,
  codomyrmex: importCodomyrmex,
  station: importStation,
} as const satisfies Record<string, Importer>;
export type ImportFormat = keyof typeof importers;

export const IMPORT_FORMATS = ['wfformat', 'codomyrmex', 'station'] as const satisfies readonly ImportFormat[];

/** True when the text names a format of {@link importers}. */
export function isImportFormat(text: string): text is ImportFormat {
  return Object.hasOwn(importers, text);
}
