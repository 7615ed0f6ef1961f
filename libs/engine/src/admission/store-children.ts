import type { Workflow } from '@lattice/flow';
import { insertChildren, type NewChildren } from '@lattice/persistence';
import { z } from 'zod';
import type { Engine } from '../context';
import { limitersOfNewRun } from './limiters';
import { refuses, takePlace } from './store-run';

const inputsSchema = z.record(z.string(), z.unknown());

/**
 * Stores runs that a task starts. Where their workflow refuses runs above its concurrency limit, the places are taken in the same
 * transaction: throws `concurrency_limit` when there is none, `invalid_inputs` when a key of a limit can't be made from the inputs of
 * one, and nothing is stored then.
 */
export async function storeChildren(engine: Engine, workflow: Workflow, children: NewChildren): Promise<void> {
  const limited = workflow.limits === undefined ? [] : children.children;
  const places = limited.map(({ runId, inputs }) => ({
    run: { runId, workflow: children.workflow, priority: children.priority },
    limiters: limitersOfNewRun(workflow, { runId, inputs: inputsSchema.parse(inputs) }),
  }));
  if (workflow.limits?.concurrency?.policy !== 'reject') {
    await insertChildren(engine.db, children);
    return;
  }
  await engine.db.transaction(async (session) => {
    // One that is there has its place.
    if ((await insertChildren(session, children)) < children.children.length) return;
    for (const { run, limiters } of places) if (refuses(limiters)) await takePlace(session, limiters, run);
  });
}
