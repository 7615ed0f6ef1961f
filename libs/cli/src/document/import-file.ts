import { LatticeError, type Fault, type WorkflowDocument } from '@lattice/contracts';
import { BadInput } from '../bad-input';
import { parseText } from './flow';
import { readText } from './read-document';
import { faulty } from './with-source';

/** Loaded only when needed: importers bring the expression language with them. */
const load = () => import('@lattice/importers');
type ImportOptions = Parameters<Awaited<ReturnType<typeof load>>['importWfFormat']>[1];

export interface ImportedFile {
  readonly workflow: WorkflowDocument;
  readonly notes: readonly string[];
  /** Original id -> task key, where renamed. */
  readonly keys: Readonly<Record<string, string>>;
}

interface ImportFile {
  readonly format: string;
  /** As the user wrote it; `-` is standard input. */
  readonly file: string;
  readonly cwd: string;
  readonly options: ImportOptions;
}

/** Reads a workflow file of another system. Throws BadInput, with the places of all faults. */
export async function importFile({ format, file, cwd, options }: ImportFile): Promise<ImportedFile> {
  const { importers, isImportFormat, IMPORT_FORMATS } = await load();
  if (!isImportFormat(format)) {
    throw new BadInput(`there is no importer for "${format}"; there are: ${IMPORT_FORMATS.join(', ')}.`);
  }
  const text = readText(file, cwd);
  const imported = importers[format](await parse(file, text), options);
  if (!imported.ok) throw await located(imported.faults, file, text);
  return imported;
}

async function parse(file: string, text: string): Promise<unknown> {
  try {
    return await parseText(text, /\.ya?ml$/i.test(file) ? 'yaml' : 'json');
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    throw new BadInput(`${file}: ${error.message}`, { code: error.code, cause: error });
  }
}

function located(faults: readonly Fault[], file: string, text: string): Promise<BadInput> {
  return faulty({ file: file === '-' ? 'stdin' : file, text, document: {} }, faults);
}
