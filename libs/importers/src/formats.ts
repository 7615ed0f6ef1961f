import type { Importer } from './importer';
import { importCodomyrmex } from './codomyrmex/import-codomyrmex';
import { importWfFormat } from './wfformat/import-wfformat';

/** Every format that can be imported, by the name it has in URLs and on the command line. */
export const importers = { wfformat: importWfFormat, codomyrmex: importCodomyrmex } as const satisfies Record<
  string,
  Importer
>;
export type ImportFormat = keyof typeof importers;

export const IMPORT_FORMATS = ['wfformat', 'codomyrmex'] as const satisfies readonly ImportFormat[];

/** True when the text names a format of {@link importers}. */
export function isImportFormat(text: string): text is ImportFormat {
  return Object.hasOwn(importers, text);
}
