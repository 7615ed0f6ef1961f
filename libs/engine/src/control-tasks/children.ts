import { LatticeError, taskError, type TaskError } from '@lattice/contracts';
import type { Body, TaskDefinition } from '@lattice/flow';
import { mustReadDocument } from '@lattice/flow';
import {
  childSummary,
  controlChildren,
  type ChildResult,
  type ChildSummary,
  type NewChildren,
  type Parent,
} from '@lattice/persistence';
import { readHead } from '@lattice/queue';
import { v7 as newRunId } from 'uuid';
import { storeChildren } from '../admission/store-children';
import { stopChildren } from '../run/stop-children';
import { ORDERS, nudge } from '../submit/nudge';
import type { Step } from './step';

/** Runs start runs of their own up to so deep. */
const MAX_DEPTH = 10;

/** The attempt as the parent of runs. */
export function parentOf({ attempt }: Step): Parent {
  return { runId: attempt.run.runId, taskKey: attempt.task.key, attempt: attempt.attempt };
}

/** What the children of the task have come to, as the attempt sees them; throws `nested_too_deep` when it may have none. */
export async function summaryOf(step: Step): Promise<ChildSummary> {
  const parent = parentOf(step);
  const summary = await childSummary(step.runtime.db, parent);
  if (summary === undefined) throw new Error(`run ${parent.runId} is not stored`);
  if (summary.depth >= MAX_DEPTH) {
    throw new LatticeError('nested_too_deep', `the run is ${summary.depth} levels below the first one`);
  }
  return summary;
}

/** Which document the children run, and under which name they are listed. */
export type ChildDocument = Pick<NewChildren, 'workflow' | 'version' | 'documentSha' | 'document'>;

/** The body of a map or loop as the document of children. */
export function bodyDocument({ document, sha }: Body): ChildDocument {
  return { workflow: document.name, version: null, documentSha: sha, document };
}

/** Starts children of the task; each index once, however often it is asked for. */
export async function startChildren(
  step: Step,
  summary: ChildSummary,
  of: ChildDocument,
  children: readonly { readonly index: number; readonly inputs: unknown }[],
): Promise<void> {
  if (children.length === 0) return;
  const { runtime } = step;
  const workflow = mustReadDocument(of.document);
  const { runId, taskKey } = parentOf(step);
  await runtime.race?.('before-children', { runId, taskKey });
  await storeChildren(runtime, workflow, {
    ...of,
    parent: parentOf(step),
    since: summary.since,
    depth: summary.depth + 1,
    priority: summary.priority,
    tags: summary.tags,
    onFailure: workflow.onFailure,
    tasks: [...workflow.tasks.keys()],
    children: children.map((child) => ({ ...child, runId: newRunId() })),
  });
  await runtime.race?.('after-children', { runId, taskKey });
  await keepInStep(step);
  await runtime.queue.bus.publish('nudge', '');
}

/**
 * What became of the run while its children were stored holds for them: whoever paused or stopped it may have looked for children
 * before these were there.
 */
export async function keepInStep({ runtime, attempt }: Step): Promise<void> {
  const { runId, epoch } = attempt.run;
  const of = { runId, taskKey: attempt.task.key };
  const stateOf = async (): Promise<string | undefined> => {
    const head = await readHead(runtime.queue, runId);
    return head?.epoch === epoch ? head.state : undefined;
  };
  const state = await stateOf();
  if (state === 'running') return;
  if (state !== 'paused') {
    await stopChildren(runtime, of, `run ${runId} is being stopped`);
    return;
  }
  await controlChildren(runtime.db, of, { kind: 'pause' });
  nudge(runtime, ORDERS);
  // It may have been resumed between the two.
  if ((await stateOf()) === 'running') await controlChildren(runtime.db, of, { kind: 'resume' });
}

/** Inputs of a run of a body: the round, and what the body refers to around it. Outputs of tasks are not copied. */
export function bodyInputs(
  { attempt }: Step,
  body: Body,
  each: Readonly<Record<string, unknown>>,
): { each: unknown; inputs: unknown; around: Record<string, string> } {
  const { document } = body;
  const names = Object.keys(document.inputs ?? {});
  const { scope, compiled, run } = attempt;
  return {
    each,
    inputs: Object.fromEntries(names.map((name) => [name, scope.inputs[name] ?? null])),
    around: Object.fromEntries(
      (document.within?.tasks ?? []).map((key) => {
        const own = Object.hasOwn(compiled.workflow.document.tasks, key);
        return [key, own ? run.runId : (attempt.around[key] ?? '')];
      }),
    ),
  };
}

/** The error of a task whose child did not complete: that of the child, with the child named. */
export function errorOfChild(task: TaskDefinition, child: ChildResult): TaskError {
  const cause = child.error;
  const what = `run ${child.runId} of task "${task.key}" (index ${child.index})`;
  const details = { runId: child.runId, index: child.index, ...(cause === null ? {} : { cause: { ...cause } }) };
  const message = cause === null ? `${what} was ${child.status}` : `${what} ${child.status}: ${cause.message}`;
  return taskError('item_failed', message, { details });
}
