import { documentSchema, type WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';
import type { Database, Session } from '../database';
import { prepared } from '../statements';

const GET_DOCUMENTS = prepared('get-documents');

const rowSchema = z.object({ sha: z.string(), document: z.string() });

/** The document of a sha; undefined when it was never stored. It is shared by all callers: don't change it. */
export async function getDocument(db: Database, sha: string): Promise<WorkflowDocument | undefined> {
  return (await readDocuments(db, [sha])).get(sha);
}

/** Documents by sha, from memory where they were read before, else in one statement on `session`. */
export async function readDocuments(
  db: Database,
  shas: readonly string[],
  session: Session = db,
): Promise<Map<string, WorkflowDocument>> {
  const found = new Map<string, WorkflowDocument>();
  const missing = new Set<string>();
  for (const sha of shas) {
    const document = db.documents.get(sha);
    if (document === undefined) missing.add(sha);
    else found.set(sha, document);
  }
  if (missing.size === 0) return found;
  for (const row of await session.query(GET_DOCUMENTS, [[...missing]])) {
    const { sha, document } = rowSchema.parse(row);
    const parsed = documentSchema.parse(JSON.parse(document));
    db.documents.set(sha, parsed, document.length);
    found.set(sha, parsed);
  }
  return found;
}
