import { submitRunSchema } from '@lattice/contracts';
import type { Access, Refusal } from '@lattice/mcp';
import { ApiError, type LatticeClient } from '@lattice/sdk';
import { errorData } from '../report-error';

const inputsSchema = submitRunSchema.shape.inputs;

/** What the tools of MCP need, by calls of the API; whether the key may is for the API to say. */
export function clientAccess(client: LatticeClient): Access {
  return {
    refusalOf,
    platform: {
      listWorkflows: (call) => client.listWorkflows(call),
      getWorkflow: (name, call) => client.getWorkflow(name, call),
      saveWorkflow: (document, call) => client.saveWorkflow(document, call),
      validate: (document, call) => client.validate(document, call),
      submit: (start) => client.submit({ ...start, inputs: inputsSchema.parse(start.inputs) }),
      getRun: (runId, call) => client.getRun(runId, call),
      listRuns: (query) => client.listRuns(query),
      wait: (runId, call) => client.wait(runId, call),
      logPage: (runId, query) => client.logPage(runId, query),
      reportText: (runId, call) => client.reportText(runId, call),
      workers: (call) => client.workers(call),
      cancel: (runId, call) => client.cancel(runId, call),
      pause: (runId, call) => client.pause(runId, call),
      resume: (runId, call) => client.resume(runId, call),
      retry: (runId, call) => client.retry(runId, call),
      rerun: (runId, task, call) => client.rerun(runId, task, call),
      fork: (runId, { inputs, ...call }) => client.fork(runId, { ...call, inputs: inputsSchema.parse(inputs) }),
      signal: (runId, name, payload, call) => client.signal(runId, name, payload, call),
    },
  };
}

function refusalOf(error: unknown): Refusal {
  const { code, message, faults } = errorData(error);
  const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
  return { code, message, faults, retryAfter: retryAfterMs === undefined ? undefined : retryAfterMs / 1_000 };
}
