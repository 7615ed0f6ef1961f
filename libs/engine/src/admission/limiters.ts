import { LatticeError, fault } from '@lattice/contracts';
import { limitersOf, type Workflow } from '@lattice/flow';
import type { RunLimiters } from '@lattice/persistence';

/** The limiters of a run; undefined when its workflow has none. Throws LatticeError when a key can't be evaluated. */
export function limitersOfRun(
  workflow: Workflow,
  run: { runId: string; inputs: Record<string, unknown> },
): RunLimiters | undefined {
  const { limits, document } = workflow;
  if (limits === undefined) return undefined;
  const scope = { inputs: run.inputs, tasks: {}, run: { id: run.runId, workflow: document.name } };
  return limitersOf(limits, { workflow: document.name, scope });
}

/** {@link limitersOfRun} of a run that is to be stored. Throws `invalid_inputs` when a key of a limit can't be made from its inputs: it would never be let in. */
export function limitersOfNewRun(
  workflow: Workflow,
  run: { runId: string; inputs: Record<string, unknown> },
): RunLimiters | undefined {
  try {
    return limitersOfRun(workflow, run);
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    const { name } = workflow.document;
    throw new LatticeError('invalid_inputs', `A limit of workflow "${name}" has no key: ${error.message}`, {
      faults: [fault('bad_value', '/inputs', error.message)],
    });
  }
}
