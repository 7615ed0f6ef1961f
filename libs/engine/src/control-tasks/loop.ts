import { LatticeError } from '@lattice/contracts';
import { evaluateTemplate, type Template } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import type { ControlStep } from '@lattice/flow';
import type { ChildResult, ChildSummary } from '@lattice/persistence';
import type { Waiting } from '../attempt/execute';
import { bodyDocument, bodyInputs, errorOfChild, startChildren, summaryOf } from './children';
import { childAt, goOn, isUndone } from './go-on';
import { WAIT, completed, failed, type Step } from './step';

type LoopStep = Extract<ControlStep, { kind: 'loop' }>;

/** A step of a loop: the round that is on is waited for, then the next one begins or the loop ends. A later attempt goes on at the round that failed. */
export async function stepLoop(step: Step, loop: LoopStep): Promise<Outcome | Waiting> {
  const { task, scope } = step.attempt;
  const summary = await summaryOf(step);
  if (summary.active > 0) return WAIT;
  const rounds = summary.next;
  const round = rounds === 0 ? undefined : await readRound(step, summary, rounds - 1);
  if (round !== undefined && isUndone(step, round)) {
    await goOn(step, summary, [round.index]);
    return WAIT;
  }
  if (round !== undefined && round.status !== 'completed')
    return { status: 'failed', error: errorOfChild(task, round) };
  const last = round === undefined ? evaluateTemplate(loop.initial, scope) : (round.outputs?.['output'] ?? null);
  if (round !== undefined && loop.until !== undefined && holds(step, loop.until, { last, index: rounds - 1 }))
    return completed({ rounds, last });
  if (loop.while !== undefined && !holds(step, loop.while, { last, index: rounds })) return completed({ rounds, last });
  if (rounds >= loop.maxRounds)
    return failed('too_many_rounds', `the loop would go on after ${rounds} rounds, the most that are allowed`, {
      last,
    });
  const inputs = bodyInputs(step, loop.body, { last, index: rounds });
  await startChildren(step, summary, bodyDocument(loop.body), [{ index: rounds, inputs }]);
  return WAIT;
}

async function readRound(step: Step, summary: ChildSummary, index: number): Promise<ChildResult> {
  const child = await childAt(step, summary, index);
  if (child === undefined) throw new Error(`round ${index} of task ${step.attempt.task.key} is not stored`);
  return child;
}

function holds({ attempt }: Step, condition: Template, each: Readonly<Record<string, unknown>>): boolean {
  const value = evaluateTemplate(condition, { ...attempt.scope, each });
  if (typeof value === 'boolean') return value;
  throw new LatticeError(
    'expression_failed',
    `the condition of the loop is ${JSON.stringify(value)}, not true or false`,
  );
}
