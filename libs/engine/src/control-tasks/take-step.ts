import { LatticeError } from '@lattice/contracts';
import { evaluateTemplate } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import type { ControlStep } from '@lattice/flow';
import { markWaiting, stepTimes, type StepTimes } from '@lattice/queue';
import type { Attempt, Waiting } from '../attempt/execute';
import { stopChildren } from '../run/stop-children';
import type { Runtime } from '../runtime';
import { stepLoop } from './loop';
import { stepMap } from './map';
import { completed, failed, waitFor, type Step } from './step';
import { stepWait } from './wait';
import { stepWorkflow } from './workflow';

/** A store did not answer: the step is taken again after so long. */
const AGAIN_MS = 1_000;

/**
 * Takes one step of a task that holds no worker: it has ended, or waits. Throws LatticeError when the task is at fault. A
 * store that is away is none of the task's faults.
 */
export async function takeStep(runtime: Runtime, attempt: Attempt): Promise<Outcome | Waiting> {
  const { task, run } = attempt;
  const { control } = task;
  if (control === undefined) throw new LatticeError('internal', `task "${task.key}" takes no steps`);
  try {
    const end = await stepOrEnd(runtime, attempt, control);
    return end.status === 'completed' ? withinLimit(runtime, end.outputJson) : end;
  } catch (error) {
    if (error instanceof LatticeError) throw error;
    runtime.log.warn({ err: error, runId: run.runId, taskKey: task.key }, 'a step failed; it is taken again');
    return { status: 'waiting', ms: AGAIN_MS };
  }
}

function withinLimit({ settings }: Runtime, outputJson: string): Outcome {
  const bytes = Buffer.byteLength(outputJson);
  if (bytes <= settings.maxOutput) return { status: 'completed', outputJson };
  return failed('output_too_large', `the output has ${bytes} bytes; ${settings.maxOutput} are the most`);
}

async function stepOrEnd(runtime: Runtime, attempt: Attempt, control: ControlStep): Promise<Outcome | Waiting> {
  const { task, run } = attempt;
  if (control.kind === 'transform') return completed(evaluateTemplate(control.value, attempt.scope));
  if (control.kind === 'switch') return completed(choose(control, evaluateTemplate(control.on, attempt.scope)));
  const times = await stepTimes(runtime.queue, run, { taskKey: task.key, attempt: attempt.attempt });
  return times === undefined ? { status: 'cancelled' } : withTimeout({ runtime, attempt, times }, control);
}

type LongStep = Exclude<ControlStep, { kind: 'transform' | 'switch' }>;

/** Whether the steps of a task wait for Postgres or Redis; the others only compute. */
export function asksOthers(control: ControlStep | undefined): control is LongStep {
  return control !== undefined && control.kind !== 'transform' && control.kind !== 'switch';
}

/** A task whose time is over fails when nothing runs for it any more. */
async function withTimeout(step: Step, control: LongStep): Promise<Outcome | Waiting> {
  const { runtime, attempt, times } = step;
  const left = timeLeft(step, times);
  if (left > 0) {
    const outcome = await stepOf(step, control);
    return outcome.status === 'waiting' ? waitFor(Math.min(outcome.ms, left)) : outcome;
  }
  const { task, run } = attempt;
  await markWaiting(runtime.queue, run, { taskKey: task.key, waits: undefined });
  const reason = `task "${task.key}" of the run around timed out`;
  if ((await stopChildren(runtime, { runId: run.runId, taskKey: task.key }, reason)) > 0) return waitFor(AGAIN_MS);
  return failed('timeout', `the task did not end within ${task.timeoutMs ?? 0} ms`);
}

function timeLeft({ attempt }: Step, { begunAt, now }: StepTimes): number {
  const { timeoutMs } = attempt.task;
  return timeoutMs === undefined ? Infinity : begunAt + timeoutMs - now;
}

function stepOf(step: Step, control: LongStep): Promise<Outcome | Waiting> {
  switch (control.kind) {
    case 'wait':
      return stepWait(step, control.for);
    case 'map':
      return stepMap(step, control);
    case 'loop':
      return stepLoop(step, control);
    case 'workflow':
      return stepWorkflow(step, control);
  }
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
