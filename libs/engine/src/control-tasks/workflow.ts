import { LatticeError, taskError } from '@lattice/contracts';
import { evaluateTemplate } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import { checkInputs, type ControlStep } from '@lattice/flow';
import type { ChildSummary } from '@lattice/persistence';
import { z } from 'zod';
import type { Waiting } from '../attempt/execute';
import { findWorkflow } from '../workflows/workflows';
import { errorOfChild, startChildren, summaryOf } from './children';
import { childAt, goOn, isUndone } from './go-on';
import { WAIT, completed, type Step } from './step';

type WorkflowStep = Extract<ControlStep, { kind: 'workflow' }>;

const inputsSchema = z.record(z.string(), z.unknown());

/** A step of a sub-workflow: starts the run, and ends as it ended. */
export async function stepWorkflow(step: Step, { workflow, inputs }: WorkflowStep): Promise<Outcome | Waiting> {
  const summary = await summaryOf(step);
  if (summary.active > 0) return WAIT;
  if (summary.next > 0) return goOnOrEnd(step, summary);
  const given = inputsSchema.safeParse(evaluateTemplate(inputs, step.attempt.scope));
  if (!given.success) throw new LatticeError('expression_failed', '"with" of a sub-workflow did not give an object');
  const saved = await findWorkflow(step.runtime, workflow.name, workflow.version);
  const checked = checkInputs(saved.document, given.data);
  if (!checked.ok) {
    const list = checked.faults.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
    throw new LatticeError('invalid_inputs', `the inputs do not fit workflow "${workflow.name}": ${list}`);
  }
  const of = {
    workflow: saved.name,
    version: saved.version,
    documentSha: saved.documentSha,
    document: saved.document,
  };
  try {
    await startChildren(step, summary, of, [{ index: 0, inputs: checked.inputs }]);
    return WAIT;
  } catch (error) {
    if (!(error instanceof LatticeError) || error.code !== 'concurrency_limit') throw error;
    // There may be room later: the retry policy of the task says whether it is tried again.
    return { status: 'failed', error: taskError(error.code, error.message, { retryable: true }) };
  }
}

/** A later attempt goes on with the run that failed, in its version of the workflow. */
async function goOnOrEnd(step: Step, summary: ChildSummary): Promise<Outcome | Waiting> {
  const child = await childAt(step, summary, 0);
  if (child === undefined) throw new Error(`the run of task ${step.attempt.task.key} is not stored`);
  if (isUndone(step, child)) {
    await goOn(step, summary, [0]);
    return WAIT;
  }
  if (child.status === 'completed') return completed(child.outputs ?? {});
  return { status: 'failed', error: errorOfChild(step.attempt.task, child) };
}
