import { LatticeError, MAX_ITEMS } from '@lattice/contracts';
import { evaluateTemplate } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import type { ControlStep } from '@lattice/flow';
import { childResults, type ChildResult, type ChildSummary } from '@lattice/persistence';
import type { Waiting } from '../attempt/execute';
import { stopChildren } from '../run/stop-children';
import { bodyDocument, bodyInputs, errorOfChild, parentOf, startChildren, summaryOf } from './children';
import { childAt, goOn, placesLeft } from './go-on';
import { WAIT, completed, type Step } from './step';
import { tellProgress } from './tell-progress';

type MapStep = Extract<ControlStep, { kind: 'map' }>;

/** Items that are stored by one statement at most. */
const CHUNK = 1_000;

/** A step of a map: starts as many of the items as may run, and ends when all have ended. A later attempt keeps those that completed. */
export async function stepMap(step: Step, map: MapStep): Promise<Outcome | Waiting> {
  const items = itemsOf(step, map);
  if (items.length === 0) return completed([]);
  const summary = await summaryOf(step);
  if (summary.badIndex !== null && map.onFailure === 'cancel') return giveUp(step, summary, summary.badIndex);
  tellProgress(step, summary.present - summary.active, items.length);
  const room = Math.min(map.concurrency - summary.active, CHUNK);
  const again = await placesLeft(step, summary, room);
  const places = [...again, ...placesBehind(summary.next, items.length, room - again.length)];
  if (places.length > 0) {
    await goOn(step, summary, again);
    const children = places.map((index) => ({
      index,
      inputs: bodyInputs(step, map.body, { item: items[index], index }),
    }));
    await startChildren(step, summary, bodyDocument(map.body), children);
    return summary.present + places.length < items.length && places.length === CHUNK
      ? { status: 'waiting', ms: 1 }
      : WAIT;
  }
  if (summary.active > 0 || summary.present < items.length) return WAIT;
  return collect(step, map, summary, items.length);
}

/** Places from `next` on, as far as there are items and room. */
function placesBehind(next: number, count: number, room: number): number[] {
  return Array.from({ length: Math.max(0, Math.min(count - next, room)) }, (_, place) => next + place);
}

function itemsOf({ attempt }: Step, { over }: MapStep): unknown[] {
  const value = evaluateTemplate(over, attempt.scope);
  if (!Array.isArray(value)) throw new LatticeError('expression_failed', '"over" did not give a list');
  if (value.length > MAX_ITEMS)
    throw new LatticeError('expression_failed', `"over" gave ${value.length} items; ${MAX_ITEMS} are the most`);
  return value;
}

/** An item did not complete: the others are cancelled, and when none runs any more the map has failed. */
async function giveUp(step: Step, summary: ChildSummary, index: number): Promise<Outcome | Waiting> {
  const { runtime, attempt } = step;
  const { task, run } = attempt;
  if (summary.active > 0) {
    const reason = `item ${index} of the map did not complete`;
    await stopChildren(runtime, { runId: run.runId, taskKey: task.key }, reason);
    return WAIT;
  }
  const child = await childAt(step, summary, index);
  if (child === undefined) throw new Error(`item ${index} of task ${task.key} of run ${run.runId} is not stored`);
  return { status: 'failed', error: errorOfChild(task, child) };
}

async function collect(step: Step, { onFailure }: MapStep, { since }: ChildSummary, count: number): Promise<Outcome> {
  const results = await childResults(step.runtime.db, parentOf(step), { since, first: 0, last: count - 1 });
  return completed(results.map((child) => (onFailure === 'continue' ? told(child) : outputOf(child))));
}

function outputOf({ outputs }: ChildResult): unknown {
  return outputs?.['output'] ?? null;
}

function told(child: ChildResult): { status: string; output: unknown; error: unknown } {
  const { status, error } = child;
  return { status, output: status === 'completed' ? outputOf(child) : null, error };
}
