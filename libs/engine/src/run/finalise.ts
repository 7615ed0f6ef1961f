import { LatticeError, taskError, taskErrorSchema, type EventType, type TaskError } from '@lattice/contracts';
import { evaluateTemplate, templateReferences, type Scope, type Template } from '@lattice/expression';
import { finaliseRun, readHead, type RunHead } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { readScope } from './scope';

/** The outputs of a run may have this many bytes of JSON text. */
const MAX_OUTPUTS = 8 * 1_048_576;

/**
 * Ends a run whose tasks have all ended and that `record` did not end with its last task: its event says how. Called by whoever
 * recorded the last task, by the root job and by the reconciler; it happens once. Returns false when tasks are left.
 */
export async function finaliseIfDone(runtime: Runtime, runId: string): Promise<boolean> {
  for (;;) {
    const head = await readHead(runtime.queue, runId);
    if (head === undefined || head.state === 'final') return true;
    if (head.left > 0) return false;
    const end = await endOf(runtime, runId, head);
    const reply = await finaliseRun(runtime.queue, { runId, epoch: head.epoch }, { state: head.state, ...end });
    if (reply !== 'changed') return reply !== 'open';
  }
}

interface End {
  readonly type: EventType;
  readonly eventJson: string;
}

async function endOf(runtime: Runtime, runId: string, head: RunHead): Promise<End> {
  switch (head.state) {
    case 'cancelling':
      return { type: 'run.cancelled', eventJson: JSON.stringify({ reason: head.cancelReason }) };
    case 'failing':
      return failed(failureOf(head));
    default:
      return endOfWork(runtime, runId, head);
  }
}

function failed(error: TaskError, outputs?: unknown): End {
  return { type: 'run.failed', eventJson: JSON.stringify(outputs === undefined ? { error } : { error, outputs }) };
}

/** The error of the run is that of the task that failed first, with the task named. */
function failureOf(head: RunHead): TaskError {
  const cause = taskErrorSchema.parse(JSON.parse(head.errorJson));
  if (head.failedTask === '') return cause;
  return {
    code: cause.code,
    message: `task "${head.failedTask}" failed: ${cause.message}`,
    retryable: false,
    details: { ...cause.details, task: head.failedTask },
  };
}

async function endOfWork(runtime: Runtime, runId: string, head: RunHead): Promise<End> {
  const { workflow } = await runtime.plans.get(head.sha);
  const { tasks } = templateReferences(workflow.outputs);
  const scope = await readScope(runtime, { runId, document: workflow.document }, tasks).catch(ifGone);
  if (scope instanceof LatticeError) return failed(taskError(scope.code, `the outputs of the run: ${scope.message}`));
  const end = endWithOutputs(workflow.outputs, scope);
  if (head.failed === 0) return end;
  const message = `${head.failed === 1 ? 'a task' : `${head.failed} tasks`} failed; the others went on as asked`;
  return failed(taskError('run_failed', message), end.outputs);
}

/** An output that is not stored any more will not come back; all else is tried again. */
function ifGone(error: unknown): LatticeError {
  if (error instanceof LatticeError && error.code === 'output_gone') return error;
  throw error;
}

/** The end of a run whose tasks have ended well: its outputs, or why there are none. */
export function endWithOutputs(template: Template, scope: Scope): End & { readonly outputs?: Record<string, unknown> } {
  const outputs = evaluateOutputs(template, scope);
  if (outputs instanceof LatticeError)
    return failed(taskError(outputs.code, `the outputs of the run: ${outputs.message}`));
  const eventJson = JSON.stringify({ outputs });
  if (eventJson.length <= MAX_OUTPUTS) return { type: 'run.completed', eventJson, outputs };
  const message = `the outputs of the run have ${eventJson.length} bytes; ${MAX_OUTPUTS} are the most`;
  return { ...failed(taskError('output_too_large', message)), outputs };
}

/** An output that refers to a task which did not complete is null: the arm of a branch that was not taken has no value. */
function evaluateOutputs(template: Template, scope: Scope): Record<string, unknown> | LatticeError {
  const outputs: Record<string, unknown> = {};
  try {
    for (const [name, output] of entriesOf(template)) outputs[name] = evaluateOutput(output, scope);
  } catch (error) {
    // Nothing is read here: it would fail again at every try, and the run would never end.
    return error instanceof LatticeError ? error : new LatticeError('internal', String(error));
  }
  return outputs;
}

function evaluateOutput(template: Template, scope: Scope): unknown {
  try {
    return evaluateTemplate(template, scope);
  } catch (error) {
    const completed = [...templateReferences(template).tasks].every((key) => scope.tasks[key]?.status === 'completed');
    if (completed || !(error instanceof LatticeError)) throw error;
    return null;
  }
}

function entriesOf(template: Template): (readonly [string, Template])[] {
  if (template.kind === 'object') return [...template.entries];
  if (template.kind !== 'constant' || typeof template.value !== 'object' || template.value === null) return [];
  return Object.entries(template.value).map(
    ([name, value]: [string, unknown]) => [name, { kind: 'constant', value }] as const,
  );
}
