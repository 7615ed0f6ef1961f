import { LatticeError, parseDuration, type Fault } from '@lattice/contracts';
import { checkInputs, fingerprint, type Workflow } from '@lattice/flow';
import type { NewRun } from '@lattice/persistence';
import { v7 as newRunId } from 'uuid';
import { storeRun } from '../admission/store-run';
import type { Engine } from '../context';
import type { DocumentCache } from '../workflows/document-cache';
import { keepWorkflow } from '../read/workflow-of';
import { findWorkflow, invalidDocument } from '../workflows/workflows';
import { nudge, nudgeOfTimer } from './nudge';
import type { SendAtOnce } from './send-at-once';
import { levelFaults } from './level-faults';
import { tagFaults, type Submission } from './submission';

export interface SubmitOptions {
  readonly submission: Submission;
  readonly documents: DocumentCache;
  /** Of who submits; an Idempotency-Key is theirs. */
  readonly apiKeyId: string;
  readonly idempotencyKey?: string | undefined;
  /** Sends what it can by itself; without it the schedulers do. */
  readonly sender?: SendAtOnce | undefined;
  /** Called when a run is stored, before it is sent. */
  readonly onStored?: ((runId: string) => void) | undefined;
}

export interface Submitted {
  readonly runId: string;
  /** False when the Idempotency-Key stood for a run already. */
  readonly created: boolean;
}

/** A submission with the workflow that it names, and its inputs as the run will have them. */
export interface Resolved {
  readonly workflow: Workflow;
  readonly version: number | null;
  readonly inputs: Record<string, unknown>;
  readonly tags: readonly string[];
}

/**
 * Checks a submission as a whole and stores the run; it is queued by a scheduler, which is told so but need not be there.
 * Throws, with all faults together, `invalid_document`, `bad_request`, `invalid_inputs`; and `workflow_not_found`,
 * `idempotency_conflict`, `concurrency_limit`.
 */
export async function submitRun(engine: Engine, options: SubmitOptions): Promise<Submitted> {
  const { submission, idempotencyKey, apiKeyId, sender } = options;
  const resolved = await resolveSubmission(engine, options);
  const made = newRunOf(submission, resolved);
  const graceMs = sender?.graceFor(resolved.workflow, made) ?? 0;
  const storing = storeRun(engine, resolved.workflow, {
    ...made,
    graceMs,
    idempotency:
      idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKey, apiKeyId, bodySha: bodyShaOf(submission, resolved.workflow.sha) },
  });
  const prepared = graceMs > 0 ? sender?.prepare(made) : undefined;
  let inserted: Awaited<typeof storing> | undefined;
  try {
    inserted = await storing;
  } finally {
    if (inserted?.status !== 'created') prepared?.drop();
  }
  if (inserted.status === 'conflict') {
    throw new LatticeError(
      'idempotency_conflict',
      `The Idempotency-Key "${idempotencyKey}" stands for a run that was submitted with another body.`,
    );
  }
  if (inserted.status === 'created') {
    options.onStored?.(inserted.runId);
    keepWorkflow(engine, resolved.workflow);
    if (prepared === undefined) nudge(engine);
    else prepared.send();
    if (prepared !== undefined && made.deadlineMs !== undefined) nudgeOfTimer(engine, made.deadlineMs);
  }
  return { runId: inserted.runId, created: inserted.status === 'created' };
}

/** The run that a submission asks for, under a new id. */
export function newRunOf(submission: Submission, { workflow, version, inputs, tags }: Resolved): NewRun {
  return {
    runId: newRunId(),
    workflow: workflow.document.name,
    version,
    documentSha: workflow.sha,
    document: workflow.document,
    priority: submission.priority,
    onFailure: workflow.onFailure,
    tags,
    inputs,
    delayMs: submission.delayMs,
    deadlineMs: millisecondsTo(submission.deadline),
    tasks: [...workflow.tasks.keys()].map((key, position) => ({ key, position })),
  };
}

/** A time that has passed is zero milliseconds away. */
function millisecondsTo(deadline: string | undefined): number | undefined {
  if (deadline === undefined) return undefined;
  return parseDuration(deadline) ?? Math.max(0, Date.parse(deadline) - Date.now());
}

/** Finds the workflow of a submission and checks the inputs against it; throws as {@link submitRun} does. */
export async function resolveSubmission(
  engine: Engine,
  { submission, documents }: Pick<SubmitOptions, 'submission' | 'documents'>,
): Promise<Resolved> {
  const { source, faults } = submission;
  switch (source.kind) {
    case 'none':
      throw badRequest(faults);
    case 'given': {
      if (!source.read.ok) throw invalidDocument([...below(source.pointer, source.read.faults), ...faults]);
      const { workflow } = source.read;
      return { workflow, version: null, ...check({ engine, submission, workflow, pointer: source.pointer }) };
    }
    case 'saved': {
      const found = await findWorkflow(engine, source.name, source.version);
      const workflow = documents.readStored(found.documentSha, found.document);
      return { workflow, version: found.version, ...check({ engine, submission, workflow, pointer: '/workflow' }) };
    }
  }
}

function check(options: {
  engine: Engine;
  submission: Submission;
  workflow: Workflow;
  pointer: string;
}): Pick<Resolved, 'inputs' | 'tags'> {
  const { engine, submission, workflow, pointer } = options;
  const { document } = workflow;
  const tags = [...new Set([...submission.tags, ...(document.tags ?? [])])];
  const checked = submission.inputs === undefined ? undefined : checkInputs(document, submission.inputs);
  const inputFaults = checked === undefined || checked.ok ? [] : below(submission.pointer, checked.faults);
  const documentFaults = below(pointer, [
    ...tagFaults(document.tags ?? [], ['tags']),
    ...levelFaults(workflow, engine.settings.sandboxMin),
  ]);
  if (documentFaults.length > 0) throw invalidDocument([...documentFaults, ...submission.faults, ...inputFaults]);
  if (submission.faults.length > 0) throw badRequest([...submission.faults, ...inputFaults]);
  if (checked?.ok === true) return { inputs: checked.inputs, tags };
  throw new LatticeError('invalid_inputs', `The inputs do not fit workflow "${document.name}".`, {
    faults: inputFaults,
  });
}

function badRequest(faults: readonly Fault[]): LatticeError {
  return new LatticeError('bad_request', 'The submission has faults.', { faults });
}

function below(pointer: string, faults: readonly Fault[]): Fault[] {
  return pointer === '' ? [...faults] : faults.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` }));
}

/** What tells a repeat from another request: what is asked for, not how it is written. */
function bodyShaOf({ source, inputs, priority, delayMs, deadline, tags }: Submission, sha: string): string {
  const asked = source.kind === 'saved' ? { name: source.name, version: source.version ?? null } : { sha };
  return fingerprint({ asked, inputs, priority, delayMs, deadline, tags });
}
