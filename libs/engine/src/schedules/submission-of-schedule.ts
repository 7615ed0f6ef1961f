import { getScheduleDocument, type Session, type StoredSchedule } from '@lattice/persistence';
import type { Submission } from '../submit/submission';
import type { DocumentCache } from '../workflows/document-cache';

/** What a schedule submits at each tick. */
export async function submissionOfSchedule(
  session: Session,
  schedule: StoredSchedule,
  documents: DocumentCache,
): Promise<Submission> {
  const { inputs, priority, tags } = schedule;
  const source = await sourceOf(session, schedule, documents);
  return { source, inputs, priority, tags, delayMs: 0, faults: [], pointer: '' };
}

async function sourceOf(
  session: Session,
  { name, workflow, version, documentSha }: StoredSchedule,
  documents: DocumentCache,
): Promise<Submission['source']> {
  if (documentSha === null) return { kind: 'saved', name: workflow, version: version ?? undefined };
  const document = await getScheduleDocument(session, name);
  if (document === undefined) throw new Error(`the document of schedule ${name} is not stored`);
  const read = { ok: true, workflow: documents.readStored(documentSha, document) } as const;
  return { kind: 'given', read, pointer: '/workflow' };
}
