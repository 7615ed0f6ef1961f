import { LatticeError, type SavedWorkflow } from '@lattice/contracts';
import type { ReadDocument } from '@lattice/flow';
import { getWorkflow, listWorkflows, saveWorkflow, type VersionConditions } from '@lattice/persistence';
import type { Engine } from '../context';

/** Versions are integers of 32 bits. */
const MAX_VERSION = 2_147_483_647;

/**
 * Saves a document under its name. A changed document is a new version; the same again is the version it has (`created` is
 * false then). Throws `invalid_document` with all faults, `precondition_failed` when the newest version is not what `conditions` say.
 */
export async function saveDocument(
  engine: Engine,
  read: ReadDocument,
  conditions: VersionConditions = {},
): Promise<{ saved: SavedWorkflow; created: boolean; tag: string }> {
  if (!read.ok) throw invalidDocument(read.faults);
  const { document, sha } = read.workflow;
  const { name } = document;
  const result = await saveWorkflow(engine.db, { name, sha, document }, conditions);
  if (result.refused) {
    const is = result.newest === null ? `There is no workflow "${name}"` : `"${name}" is at version ${result.newest}`;
    throw new LatticeError('precondition_failed', `${is}; that is not what the request asks for. Nothing was saved.`);
  }
  const { version, createdAt, created } = result;
  return { saved: { name, version, createdAt, document }, created, tag: versionTag({ version, documentSha: sha }) };
}

/** Names a version of a workflow and its document; `conditions` of a save are such tags. */
export function versionTag({ version, documentSha }: { version: number; documentSha: string }): string {
  return `${version}-${documentSha}`;
}

/** A saved workflow, the newest version when none is given; throws `workflow_not_found`. */
export async function findWorkflow(
  engine: Engine,
  name: string,
  version?: number,
): Promise<SavedWorkflow & { documentSha: string }> {
  const found =
    version !== undefined && version > MAX_VERSION ? undefined : await getWorkflow(engine.db, name, version);
  if (found !== undefined) return found;
  const which = version === undefined ? `"${name}"` : `"${name}" of version ${version}`;
  throw new LatticeError('workflow_not_found', `There is no workflow ${which}.`);
}

/** A page of saved workflows by name. */
export async function findWorkflows(
  engine: Engine,
  options: { after?: string | undefined; limit: number },
): Promise<{ workflows: Omit<SavedWorkflow, 'document'>[]; next: string | null }> {
  return listWorkflows(engine.db, options);
}

/** The error for a document with faults. */
export function invalidDocument(faults: NonNullable<LatticeError['faults']>): LatticeError {
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  const first = faults[0];
  const detail = first === undefined ? '' : ` At ${first.pointer === '' ? 'the top' : first.pointer}: ${first.message}`;
  return new LatticeError('invalid_document', `The document has ${count}.${detail}`, { faults });
}
