import { LatticeError, taskError } from '@lattice/contracts';
import { evaluateTemplate } from '@lattice/expression';
import { NOT_TAKEN, decide, tasksOf, type Ended, type PlanSegment, type TaskDefinition } from '@lattice/flow';
import { readResults, record, type FlowRun, type GateCount } from '@lattice/queue';
import { z } from 'zod';
import type { Runtime } from '../runtime';
import { addSegments, addTold } from './add-segments';
import { readOutput } from './outputs';
import type { Compiled } from './plans';
import { readScope } from './scope';

/** What a release works on. */
export interface Release {
  readonly run: FlowRun;
  readonly compiled: Compiled;
  /** Gates that are open. */
  readonly gates: readonly number[];
  /** Tasks of the run that ended otherwise than completed: with none, every dependency has completed and nothing is asked. */
  readonly others: number;
  /** Segments that need no release because all their tasks have ended. */
  readonly isDone?: (segment: number) => boolean;
}

/** How many tasks are left, and the state of the run, after the last record that the release made; undefined without one. */
export interface Released {
  readonly left: number;
  readonly state: string;
}

/**
 * Adds the segments whose gates are open, after their tasks were decided upon. A skip adds nothing: it is recorded, which
 * may open further gates. May be called any number of times for the same gates.
 */
export async function release(
  runtime: Runtime,
  { run, compiled, gates, others, isDone }: Release,
): Promise<Released | undefined> {
  const { plan } = compiled;
  const added: number[] = [];
  // While all have completed, whoever recorded the last task before a gate has told in the same step what is queued behind it.
  const told = new Set(others === 0 ? gates.filter((gate) => compiled.gates[gate]?.queued !== undefined) : []);
  let untold = false;
  let last: Released | undefined;
  let ended = others;
  const todo = [...new Set(gates)];
  for (const gate of todo) {
    for (const index of plan.gates[gate]?.segments ?? []) {
      const segment = plan.segments[index];
      if (segment === undefined || isDone?.(index) === true) continue;
      const ends = await endsOfSegment(runtime, {
        run,
        compiled,
        segment,
        after: plan.gates[gate]?.after ?? [],
        others: ended,
      });
      if (ends === undefined) {
        added.push(index);
        untold ||= !told.has(gate);
      }
      for (const end of ends ?? []) {
        const recorded = await recordEnd(runtime, run, compiled, end);
        if (recorded === undefined) continue;
        todo.push(...recorded.open.filter((open) => !todo.includes(open)));
        ended = recorded.others;
        last = { left: recorded.left, state: recorded.state };
      }
    }
  }
  // What is added to a paused run is put aside when its turn comes.
  if (added.length > 0 && !isStopping(last?.state)) {
    if (untold) await addSegments(runtime, run, compiled, added);
    else await addTold(runtime, run, compiled, { segments: added });
  }
  return last;
}

/** Whether a run of that state takes no more work. */
export function isStopping(state: string | undefined): boolean {
  return state === 'cancelling' || state === 'failing' || state === 'final';
}

/**
 * Decides about the segments that wait at no gate, when a run begins. Returns those to be added, the gates that are open by what has ended here, and
 * whether the run fails by it: then it is to be settled, for nobody else need come by.
 */
export async function firstSegments(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  isDone?: (segment: number) => boolean,
): Promise<{ segments: number[]; gates: number[]; fails: boolean }> {
  const segments: number[] = [];
  const gates: number[] = [];
  let fails = false;
  for (const [index, segment] of compiled.plan.segments.entries()) {
    if (segment.gate !== null || isDone?.(index) === true) continue;
    const ends = await endsOfSegment(runtime, { run, compiled, segment, after: [], others: 0 });
    if (ends === undefined) segments.push(index);
    for (const end of ends ?? []) {
      const recorded = await recordEnd(runtime, run, compiled, end);
      gates.push(...(recorded?.open ?? []));
      fails ||= isStopping(recorded?.state);
    }
  }
  return { segments, gates, fails };
}

/** A task that ends without an attempt. */
type End =
  | { readonly key: string; readonly status: 'skipped'; readonly reason: string }
  | { readonly key: string; readonly status: 'failed'; readonly error: LatticeError };

interface Question {
  readonly run: FlowRun;
  readonly compiled: Compiled;
  readonly segment: PlanSegment;
  readonly after: readonly string[];
  readonly others: number;
}

/** The tasks of a segment that end here and now; undefined when the segment is to be added. */
async function endsOfSegment(runtime: Runtime, question: Question): Promise<End[] | undefined> {
  const { segment, compiled, run, after, others } = question;
  const first = compiled.workflow.tasks.get(segment.ready[0] ?? '');
  if (first === undefined || (others === 0 && !first.guarded)) return undefined;
  const decision = decide(guardOf(first), await readEnded(runtime, run.runId, after));
  switch (decision.do) {
    case 'run':
      return undefined;
    case 'skip':
      // All tasks of a segment of several wait for the same ones: what holds for the first holds for all.
      return [...tasksOf(segment.job)].map((key) => ({ key, status: 'skipped', reason: decision.reason }));
    case 'ask':
      return ask(runtime, run, compiled, first);
  }
}

function guardOf(task: TaskDefinition): Parameters<typeof decide>[0] {
  const asksStatus = task.needs.some((key) => task.asksStatusOf.has(key));
  const inArm = task.arms.length > 0;
  return { trigger: task.trigger, conditional: task.if !== undefined, asksStatus, inArm, joins: task.joins };
}

async function readEnded(runtime: Runtime, runId: string, keys: readonly string[]): Promise<Ended[]> {
  const results = await readResults(runtime.queue, runId, keys);
  return keys.flatMap((key, index) => {
    const result = results[index];
    if (result === undefined || result.status === '') return [];
    return [{ key, status: result.status, reason: result.status === 'skipped' ? result.error : undefined }];
  });
}

async function ask(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  task: TaskDefinition,
): Promise<End[] | undefined> {
  try {
    if (!(await isTaken(runtime, run, task))) return [{ key: task.key, status: 'skipped', reason: NOT_TAKEN }];
    if (task.if === undefined) return undefined;
    const scope = await readScope(
      runtime,
      { runId: run.runId, document: compiled.workflow.document },
      task.references.tasks,
    );
    const value = evaluateTemplate(task.if, scope);
    if (value === true) return undefined;
    if (value === false) return [{ key: task.key, status: 'skipped', reason: 'condition' }];
    throw new LatticeError(
      'expression_failed',
      `the condition of task "${task.key}" is ${JSON.stringify(value)}, not true or false`,
    );
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    return [{ key: task.key, status: 'failed', error }];
  }
}

const switchOutputSchema = z.object({ tasks: z.array(z.string()) });

/** True when every switch that has the task in an arm took such an arm. */
async function isTaken(runtime: Runtime, run: FlowRun, task: TaskDefinition): Promise<boolean> {
  if (task.arms.length === 0) return true;
  const results = await readResults(runtime.queue, run.runId, task.arms);
  const made = await Promise.all(
    results.map((result, index) => readOutput(runtime, run.runId, task.arms[index] ?? '', result)),
  );
  return made.every(({ output }) => switchOutputSchema.safeParse(output).data?.tasks.includes(task.key) === true);
}

/** What the end of a task counts towards. */
export function gatesOf({ plan, gates }: Compiled, taskKey: string): GateCount[] {
  return (plan.tasks[taskKey]?.gates ?? []).flatMap((gate) => gates[gate] ?? []);
}

async function recordEnd(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  end: End,
): Promise<{ open: number[]; others: number; left: number; state: string } | undefined> {
  const error = end.status === 'failed' ? taskError(end.error.code, end.error.message) : undefined;
  const recorded = await record(runtime.queue, run, {
    taskKey: end.key,
    attempt: 'idle',
    status: end.status,
    output: '',
    error: end.status === 'skipped' ? end.reason : JSON.stringify(error),
    eventJson: JSON.stringify(end.status === 'skipped' ? { reason: end.reason } : { error }),
    gates: gatesOf(compiled, end.key),
  });
  return recorded.reply === 'ok' || recorded.reply === 'repeat' ? recorded : undefined;
}
