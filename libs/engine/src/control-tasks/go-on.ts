import type { Workflow } from '@lattice/flow';
import {
  childResults,
  missingChildren,
  reopenChildren,
  undoneChildren,
  type AnewTask,
  type ChildResult,
  type ChildSummary,
  type UndoneChild,
} from '@lattice/persistence';
import { roundsAnew } from '../control/what-runs-again';
import { mustFindWorkflow } from '../read/workflow-of';
import { keepInStep, parentOf } from './children';
import type { Step } from './step';

/**
 * Places before the last child that the attempt is yet to do, at most `limit`: an attempt before it came so far, and what
 * completed then is kept. The others are done again where their runs stand, or anew when these are gone.
 */
export async function placesLeft(step: Step, { since, present, next }: ChildSummary, limit: number): Promise<number[]> {
  if (present >= next || limit <= 0) return [];
  return missingChildren(step.runtime.db, parentOf(step), { since, next, limit });
}

/** Opens children again that failed or were cancelled before this attempt: they go on from their failed tasks. */
export async function goOn(step: Step, { since }: ChildSummary, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return;
  const { runtime, attempt } = step;
  const children = await undoneChildren(runtime.db, parentOf(step), { since, indexes });
  if (children.length === 0) return;
  await reopenChildren(runtime.db, { attempt: attempt.attempt, children, anew: await anewOf(step, children) });
  await keepInStep(step);
  await runtime.queue.bus.publish('nudge', '');
}

/** The child at a place, as it ended. */
export async function childAt(step: Step, { since }: ChildSummary, index: number): Promise<ChildResult | undefined> {
  const [child] = await childResults(step.runtime.db, parentOf(step), { since, first: index, last: index });
  return child;
}

/** True when the child ended without success before this attempt: the attempt is there to do it again. */
export function isUndone({ attempt }: Step, child: ChildResult): boolean {
  return child.attempt < attempt.attempt && (child.status === 'failed' || child.status === 'cancelled');
}

/** Tasks of the children that may not keep their rounds. */
async function anewOf({ runtime }: Step, children: readonly UndoneChild[]): Promise<AnewTask[]> {
  const workflows = new Map<string, Workflow>();
  for (const { documentSha } of children) {
    if (!workflows.has(documentSha)) workflows.set(documentSha, await mustFindWorkflow(runtime, documentSha));
  }
  return children.flatMap(({ runId, documentSha, tasks }) => {
    const workflow = workflows.get(documentSha);
    return workflow === undefined ? [] : roundsAnew(workflow, tasks).map((key) => ({ runId, key }));
  });
}
