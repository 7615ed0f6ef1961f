import { parseDuration, workflowNameSchema, type Fault } from '@lattice/contracts';
import {
  findWorkflow,
  findWorkflows,
  readRun,
  readRunLog,
  readRuns,
  readWorkers,
  renderReport,
  reportRun,
  requestCancel,
  requestControl,
  requestFork,
  requestRerun,
  saveDocument,
  signalRun,
  submissionOf,
  submissionOfYaml,
  submitRun,
  type DocumentCache,
  type Engine,
  type Identity,
  type LiveHub,
  type SendAtOnce,
  type Submission,
} from '@lattice/engine';
import type { Platform, RunQuery, Start } from '@lattice/mcp';

const PAGE_OF_WORKFLOWS = 1_000;
const PAGE_OF_LOGS = 1_000;

export interface Parts {
  readonly engine: Engine;
  readonly hub: LiveHub;
  readonly documents: DocumentCache;
  readonly sender: SendAtOnce;
}

/** What the tools of MCP need, from the engine, in the name of a key. Whether the key may is asked before. */
export function enginePlatform(parts: Parts, identity: Identity): Platform {
  const { engine, hub, documents } = parts;
  const readDocument = (given: Record<string, unknown> | string) =>
    typeof given === 'string' ? documents.readYaml(given) : documents.read(given);
  return {
    listWorkflows: () => allWorkflows(engine),
    // Postgres refuses some texts; one that can't name a workflow names none.
    getWorkflow: async (name, { version }) =>
      findWorkflow(engine, workflowNameSchema.safeParse(name).success ? name : '', version),
    saveWorkflow: async (given) => (await saveDocument(engine, readDocument(given))).saved,
    validate: (given) => Promise.resolve().then(() => validate(readDocument(given))),
    submit: (start) => submit(parts, identity, start),
    getRun: (runId, { tasks = true }) => readRun(engine, runId, { tasks }),
    listRuns: (query) => listRuns(engine, query),
    wait: (runId, { timeout, signal }) =>
      hub.waitForEnd(runId, parseDuration(timeout) ?? 0, signal === undefined ? {} : { signal }),
    logPage: (runId, { task, q, after, limit = PAGE_OF_LOGS }) =>
      readRunLog(engine, { runId, taskKey: task, q, after, limit }),
    reportText: async (runId) => renderReport(await reportRun(engine, runId)),
    workers: () => readWorkers(engine),
    cancel: (runId) => requestCancel(engine, runId, `cancelled by the key "${identity.name}"`),
    pause: (runId) => requestControl(engine, runId, 'pause'),
    resume: (runId) => requestControl(engine, runId, 'resume'),
    retry: (runId) => requestControl(engine, runId, 'retry'),
    rerun: (runId, task, { downstream }) => requestRerun(engine, runId, { task, downstream }),
    fork: (runId, { from, inputs, idempotencyKey }) =>
      requestFork(engine, { runId, from, inputs, apiKeyId: identity.keyId, idempotencyKey }),
    signal: (runId, name, payload) => signalRun(engine, { runId, name, payload, sender: identity.name }),
  };
}

function validate(read: ReturnType<DocumentCache['read']>): { valid: boolean; faults: readonly Fault[] } {
  return read.ok ? { valid: true, faults: [] } : { valid: false, faults: read.faults };
}

async function allWorkflows(engine: Engine): ReturnType<Platform['listWorkflows']> {
  const all: Awaited<ReturnType<Platform['listWorkflows']>> = [];
  let after: string | undefined;
  do {
    const page = await findWorkflows(engine, { after, limit: PAGE_OF_WORKFLOWS });
    all.push(...page.workflows);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return all;
}

async function submit(parts: Parts, identity: Identity, start: Start): Promise<{ runId: string }> {
  const { engine, documents, sender } = parts;
  const { idempotencyKey } = start;
  const submission = submissionOfStart(start, documents);
  const { runId } = await submitRun(engine, {
    submission,
    documents,
    apiKeyId: identity.keyId,
    idempotencyKey,
    sender,
  });
  return { runId };
}

function submissionOfStart(start: Start, documents: DocumentCache): Submission {
  const { inputs, priority, delay, deadline, tags } = start;
  if ('workflow' in start) {
    const { workflow, version } = start;
    return submissionOf(workflow, { inputs, priority, delay, deadline, tags, version }, documents);
  }
  const asJson = inputs === undefined ? undefined : JSON.stringify(inputs);
  return submissionOfYaml(start.yaml, { inputs: asJson, priority, delay, deadline, tag: tags }, documents);
}

function listRuns(engine: Engine, query: RunQuery): ReturnType<Platform['listRuns']> {
  const { signal: _, createdAfter, createdBefore, limit = 50, ...filter } = query;
  return readRuns(engine, {
    ...filter,
    limit,
    createdAfter: timeOf(createdAfter),
    createdBefore: timeOf(createdBefore),
  });
}

function timeOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
