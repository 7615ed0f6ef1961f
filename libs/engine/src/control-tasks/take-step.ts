import { LatticeError } from '@lattice/contracts';
import { evaluateTemplate } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import type { ControlStep } from '@lattice/flow';
import type { Attempt, Waiting } from '../attempt/execute';
import type { Runtime } from '../runtime';

/** Under this name all schedulers take steps: whoever takes the next one goes on with the same attempt. */
export const STEP_OWNER = 'scheduler';

/** A store did not answer: the step is taken again after so long. */
const AGAIN_MS = 1_000;

/**
 * Takes one step of a task that holds no worker: it has ended, or waits. Throws LatticeError when the task is at fault. A
 * store that is away is none of the task's faults.
 */
export function takeStep(runtime: Runtime, attempt: Attempt): Promise<Outcome | Waiting> {
  const step = attempt.task.control;
  if (step === undefined)
    return Promise.reject(new LatticeError('internal', `task "${attempt.task.key}" takes no steps`));
  try {
    return Promise.resolve(stepOf(attempt, step));
  } catch (error) {
    if (error instanceof LatticeError) return Promise.reject(error);
    const { runId } = attempt.run;
    runtime.log.warn({ err: error, runId, taskKey: attempt.task.key }, 'a step failed; it is taken again');
    return Promise.resolve({ status: 'waiting', ms: AGAIN_MS });
  }
}

function stepOf(attempt: Attempt, step: ControlStep): Outcome | Waiting {
  switch (step.kind) {
    case 'transform':
      return completed(evaluateTemplate(step.value, attempt.scope));
    case 'switch':
      return completed(choose(step, evaluateTemplate(step.on, attempt.scope)));
    case 'wait':
    case 'map':
    case 'loop':
    case 'workflow':
      throw new LatticeError('internal', `${step.kind} is not there yet`);
  }
}

function completed(value: unknown): Outcome {
  return { status: 'completed', outputJson: JSON.stringify(value) };
}

/** The output of a switch: the value, the case that equals it (null for the default), and the first tasks of its arm. */
function choose(
  { cases, otherwise }: Extract<ControlStep, { kind: 'switch' }>,
  value: unknown,
): { value: unknown; case: string | null; tasks: readonly string[] } {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const tasks = Object.hasOwn(cases, text) ? cases[text] : undefined;
  return tasks === undefined ? { value, case: null, tasks: otherwise } : { value, case: text, tasks };
}
