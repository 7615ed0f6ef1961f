import type { Fault } from '@lattice/contracts';
import { ApiError } from '@lattice/sdk';
import { BadInput } from '../bad-input';
import { count } from '../format';
import { locateFaults } from './locate';
import type { DocumentFile } from './read-document';

/**
 * Does something with a document; a refusal of it becomes BadInput with the places in the file. `base` is the pointer at which the
 * document lies in the body that is sent.
 */
export async function withSource<T>(
  source: DocumentFile | undefined,
  base: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (source && error instanceof ApiError && error.code === 'invalid_document')
      throw await faulty(source, error.faults, base);
    throw error;
  }
}

export async function faulty(source: DocumentFile, faults: readonly Fault[], base = ''): Promise<BadInput> {
  const message = `${source.file} has ${count(faults.length, 'fault')}.`;
  const isInFile = ({ pointer }: Fault): boolean => pointer === base || pointer.startsWith(`${base}/`);
  const inFile = faults.filter(isInFile).map((fault) => ({ ...fault, pointer: fault.pointer.slice(base.length) }));
  const places = (await locateFaults(inFile, source.text)).map((fault) => ({ ...fault, file: source.file }));
  const located = [...places, ...faults.filter((fault) => !isInFile(fault))];
  return new BadInput(message, { code: 'invalid_document', faults: located });
}
