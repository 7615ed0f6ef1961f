import { workflowNameSchema, type SavedWorkflow, type WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';
import { timeColumn } from '../columns';
import type { Database } from '../database';
import { prepared } from '../statements';
import { getDocument } from './documents';

const SAVE_WORKFLOW = prepared('save-workflow');
const GET_WORKFLOW = prepared('get-workflow');
const LIST_WORKFLOWS = prepared('list-workflows');
/** Each try loses only to a save of the same name that went through. */
const TRIES = 20;

/** A saved workflow and the address of its document. */
export interface StoredWorkflow extends SavedWorkflow {
  documentSha: string;
}

const savedSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['created', 'same']), version: z.number(), created_at: timeColumn }),
  z.object({ outcome: z.literal('refused'), version: z.number().nullable() }),
]);
const versionSchema = z.object({
  name: z.string(),
  version: z.number(),
  document_sha: z.string(),
  created_at: timeColumn,
});
const listedSchema = versionSchema.omit({ document_sha: true });

/** Tags of versions, `VERSION-SHA` or `*` for any: the newest version has to be one of `match`, and none of `noneMatch`. */
export interface VersionConditions {
  readonly match?: readonly string[] | undefined;
  readonly noneMatch?: readonly string[] | undefined;
}

/** What came of a save; `newest` is the version there is where the conditions did not hold. */
export type SavedVersion =
  | { readonly refused: false; readonly version: number; readonly createdAt: string; readonly created: boolean }
  | { readonly refused: true; readonly newest: number | null };

/**
 * Saves a document under a name. The same document as in the newest version gives that version, with `created` false, whatever `match`
 * says. Of saves at once with the same `match` one goes through.
 */
export async function saveWorkflow(
  db: Database,
  workflow: { name: string; sha: string; document: WorkflowDocument },
  { match = undefined, noneMatch = undefined }: VersionConditions = {},
): Promise<SavedVersion> {
  const values = [workflow.name, workflow.sha, JSON.stringify(workflow.document), match ?? null, noneMatch ?? null];
  for (let left = TRIES; left > 0; left -= 1) {
    const [row] = await db.query(SAVE_WORKFLOW, values);
    if (row === undefined) continue;
    const saved = savedSchema.parse(row);
    if (saved.outcome === 'refused') return { refused: true, newest: saved.version };
    const { version, created_at, outcome } = saved;
    return { refused: false, version, createdAt: created_at, created: outcome === 'created' };
  }
  throw new Error(`Workflow "${workflow.name}" is being saved too often at once; try again.`);
}

/** A saved workflow, of the version given or the newest; undefined when there is none. */
export async function getWorkflow(db: Database, name: string, version?: number): Promise<StoredWorkflow | undefined> {
  if (!workflowNameSchema.safeParse(name).success) return undefined;
  const [row] = await db.query(GET_WORKFLOW, [name, version ?? null]);
  if (row === undefined) return undefined;
  const found = versionSchema.parse(row);
  const document = await getDocument(db, found.document_sha);
  if (document === undefined) throw new Error(`Document ${found.document_sha} of workflow "${name}" is not stored.`);
  return {
    name,
    version: found.version,
    createdAt: found.created_at,
    document,
    documentSha: found.document_sha,
  };
}

/** A page of saved workflows by name, each in its newest version; `after` is `next` of the page before. */
export async function listWorkflows(
  db: Database,
  options: { after?: string | undefined; limit: number },
): Promise<{ workflows: { name: string; version: number; createdAt: string }[]; next: string | null }> {
  const rows = await db.query(LIST_WORKFLOWS, [options.after ?? '', options.limit + 1]);
  const workflows = rows.slice(0, options.limit).map((row) => {
    const { name, version, created_at } = listedSchema.parse(row);
    return { name, version, createdAt: created_at };
  });
  return { workflows, next: rows.length > options.limit ? (workflows.at(-1)?.name ?? null) : null };
}
