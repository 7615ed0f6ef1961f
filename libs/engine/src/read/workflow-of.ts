import { LatticeError, type WorkflowDocument } from '@lattice/contracts';
import { mustReadDocument, type Workflow } from '@lattice/flow';
import { getDocument } from '@lattice/persistence';
import type { Engine } from '../context';

/** Documents come from the cache of persistence: the same object is the same document. */
const workflows = new WeakMap<WorkflowDocument, Workflow>();

/** Keeps the workflow of a document that was just stored, so that whoever asks for it next need not read it again. */
export function keepWorkflow(engine: Engine, workflow: Workflow): void {
  if (engine.db.documents.get(workflow.sha) !== undefined) return;
  engine.db.documents.set(workflow.sha, workflow.document, JSON.stringify(workflow.document).length);
  workflows.set(workflow.document, workflow);
}

/** The workflow of a document that is stored; undefined when it is not. */
export async function workflowOf(engine: Engine, documentSha: string): Promise<Workflow | undefined> {
  const document = await getDocument(engine.db, documentSha);
  if (document === undefined) return undefined;
  const known = workflows.get(document);
  if (known !== undefined) return known;
  const workflow = mustReadDocument(document);
  workflows.set(document, workflow);
  return workflow;
}

/** {@link workflowOf} for what can't go on without; throws `workflow_not_found`. */
export async function mustFindWorkflow(engine: Engine, documentSha: string): Promise<Workflow> {
  const workflow = await workflowOf(engine, documentSha);
  if (workflow !== undefined) return workflow;
  throw new LatticeError('workflow_not_found', `document ${documentSha} is not stored`);
}
