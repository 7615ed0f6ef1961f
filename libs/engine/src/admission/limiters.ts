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
