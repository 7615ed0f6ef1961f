import { LatticeError, type WorkflowDocument } from '@lattice/contracts';
import { IMPORT_FORMATS, importers, isImportFormat, type ImportFormat, type ImportOptions } from '@lattice/importers';
import { invalidDocument } from '../workflows/workflows';

export interface ImportedDocument {
  /** Valid, but not saved. */
  readonly workflow: WorkflowDocument;
  /** What could not be carried over. */
  readonly notes: readonly string[];
  /** Original id -> task key, where renamed. */
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * Turns a workflow file of another system into a document. Throws `invalid_document` with all faults, whose pointers go into
 * the file.
 */
export function importDocument(format: ImportFormat, value: unknown, options: ImportOptions): ImportedDocument {
  const imported = importers[format](value, options);
  if (!imported.ok) throw invalidDocument(imported.faults);
  const { workflow, notes, keys } = imported;
  return { workflow, notes, keys };
}

/** The format of that name; throws `not_found`. */
export function knownFormat(format: string): ImportFormat {
  if (isImportFormat(format)) return format;
  throw new LatticeError('not_found', `There is no importer for "${format}"; there are: ${IMPORT_FORMATS.join(', ')}.`);
}
