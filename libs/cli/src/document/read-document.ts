import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { LatticeError } from '@lattice/contracts';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { parseText } from './flow';

/** A file of the user with a workflow document. */
export interface DocumentFile {
  /** As the user wrote it. */
  file: string;
  text: string;
  document: Record<string, unknown>;
}

const objectSchema = z.record(z.string(), z.unknown());

/** True when the text means a file and not the name of a saved workflow: it exists, or it looks like a path. */
export function meansFile(text: string, cwd: string): boolean {
  return /[\\/]|\.(ya?ml|json)$/i.test(text) || text === '-' || isFile(resolve(cwd, text));
}

/** Reads and parses a document; `-` is standard input. Throws BadInput. */
export async function readDocumentFile(file: string, cwd: string): Promise<DocumentFile> {
  const text = readText(file, cwd);
  try {
    const value = await parseText(text, /\.json$/i.test(file) ? 'json' : 'yaml');
    const document = objectSchema.safeParse(value);
    if (document.success) return { file: file === '-' ? 'stdin' : file, text, document: document.data };
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    throw new BadInput(`${file}: ${error.message}`, { code: error.code, cause: error });
  }
  throw new BadInput(`${file} holds no workflow: expected a map with name and tasks.`, { code: 'bad_type' });
}

/** The text of a file; `-` is standard input. Throws BadInput. */
export function readText(file: string, cwd: string): string {
  try {
    return readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8');
  } catch (error) {
    const why = whyNot(error);
    throw new BadInput(`cannot read ${file}: ${why}`, { cause: error });
  }
}

function whyNot(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file.';
  return code === 'EISDIR' ? 'it is a folder.' : String(error);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
