import { LatticeError, approvalSchema, parseDuration } from '@lattice/contracts';
import { evaluateTemplate, type Template } from '@lattice/expression';
import type { Outcome } from '@lattice/executor';
import type { WaitFor } from '@lattice/flow';
import { takeSignal, type Signal } from '@lattice/persistence';
import { markWaiting } from '@lattice/queue';
import type { Waiting } from '../attempt/execute';
import { WAIT, completed, failed, waitFor, type Step } from './step';

/** A step of a task that waits: for a time to come, or for somebody to say something. */
export async function stepWait(step: Step, wait: WaitFor): Promise<Outcome | Waiting> {
  switch (wait.what) {
    case 'duration':
      return waitUntil(step, step.times.begunAt + durationOf(textOf(step, wait.text)));
    case 'time':
      return waitUntil(step, timeOf(textOf(step, wait.text)));
    case 'signal': {
      const signal = await listen(step, wait.name, { signal: wait.name });
      return signal === undefined ? WAIT : completed(signal.payload);
    }
    case 'approval': {
      const message = textOf(step, wait.message);
      const signal = await listen(step, wait.name, { signal: wait.name, ...(message === '' ? {} : { message }) });
      return signal === undefined ? WAIT : judge(signal);
    }
  }
}

function waitUntil({ times }: Step, at: number): Outcome | Waiting {
  if (at > times.now) return waitFor(at - times.now);
  return completed({ waitedMs: Math.max(0, times.now - times.begunAt) });
}

function textOf({ attempt }: Step, template: Template): string {
  const value = evaluateTemplate(template, attempt.scope);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new LatticeError('expression_failed', `"${text}" is not a duration such as 30s`);
  return ms;
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new LatticeError('expression_failed', `"${text}" is not an ISO 8601 time`);
  return ms;
}

/** The signal that the task waits for; without one the run is shown as waiting. */
async function listen(step: Step, name: string, waits: Record<string, unknown>): Promise<Signal | undefined> {
  const { runtime, attempt } = step;
  const { run, task } = attempt;
  const taker = `${task.key}.${attempt.attempt}`;
  const signal = await takeSignal(runtime.db, { runId: run.runId, name, taker });
  const shown = signal === undefined ? { task: task.key, ...waits } : undefined;
  await markWaiting(runtime.queue, run, { taskKey: task.key, waits: shown });
  return signal;
}

function judge({ payload, sender }: Signal): Outcome {
  const answer = approvalSchema.safeParse(payload);
  if (!answer.success) return failed('approval_rejected', 'the answer has no field "approved" that is true or false');
  const { approved, comment } = answer.data;
  const details = { ...answer.data, by: sender };
  if (approved) return completed(details);
  return failed('approval_rejected', `rejected by ${sender}${comment === undefined ? '' : `: ${comment}`}`, details);
}
