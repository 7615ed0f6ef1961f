import { dependentsOf, topologicalOrder } from './order';
import type { TaskDefinition } from './task';
import type { FlowPlan, PlanGate, PlanJob, PlanSegment, PlanTask } from './plan';
import type { ResourceClass } from './resource-class';
import { PLAN_VERSION } from './version';
import type { Workflow } from './workflow';

/** Bounds of a tree of native joins: BullMQ adds it in one transaction and walks it by recursion. Below a wider join nothing could begin before the last job was made. */
export const BOUNDS = { depth: 500, children: 100, tasks: 1_000 } as const;

/** Where a task stands in the tree of native joins below it. */
interface Place {
  /** True when the task is the BullMQ parent of its dependencies. */
  readonly native: boolean;
  /** What opens the leaves of its tree: the dependencies from outside, as text. Equal text, same gate. */
  readonly gate: string;
  readonly depth: number;
  readonly size: number;
}

/** Cuts a valid workflow into segments and gates. Pure; linear in tasks plus dependencies (times a logarithm for sorting). */
export function compile(workflow: Workflow): FlowPlan {
  const order = topologicalOrder(workflow.tasks);
  const dependents = dependentsOf(workflow.tasks);
  const places = placeTasks(workflow, order, dependents);
  const tops = order.filter(
    (task) => !(dependents.get(task.key) ?? []).some((key) => places.get(key)?.native === true),
  );
  const gates = collectGates(tops, places);
  const segments = tops.map((task) => segmentOf(task, workflow, places, gates));
  return {
    version: PLAN_VERSION,
    onFailure: workflow.onFailure,
    fuse: workflow.fuse,
    tasks: planTasks(order, segments, gates),
    gates: listGates(gates, segments),
    segments,
    classes: classesOf(order),
  };
}

function placeTasks(
  workflow: Workflow,
  order: readonly TaskDefinition[],
  dependents: ReadonlyMap<string, readonly string[]>,
): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const task of order) places.set(task.key, placeOf(task, workflow, dependents, places));
  return places;
}

function placeOf(
  task: TaskDefinition,
  workflow: Workflow,
  dependents: ReadonlyMap<string, readonly string[]>,
  places: ReadonlyMap<string, Place>,
): Place {
  const leaf: Place = { native: false, gate: task.needs.join(','), depth: 1, size: 1 };
  if (task.needs.length === 0 || task.guarded || workflow.onFailure === 'continue') return leaf;
  if (task.needs.length > BOUNDS.children) return leaf;
  let depth = 0;
  let size = 1;
  let gate: string | undefined;
  for (const need of task.needs) {
    const place = places.get(need);
    const shared = (dependents.get(need)?.length ?? 0) > 1;
    if (place === undefined || shared || workflow.tasks.get(need)?.guarded === true) return leaf;
    if (gate !== undefined && gate !== place.gate) return leaf;
    gate = place.gate;
    depth = Math.max(depth, place.depth);
    size += place.size;
  }
  if (depth + 1 > BOUNDS.depth || size > BOUNDS.tasks + 1) return leaf;
  return { native: true, gate: gate ?? '', depth: depth + 1, size };
}

interface Gate {
  readonly index: number;
  readonly after: readonly string[];
}

/** Gates by their text, in the order of the first segment that waits at each. */
function collectGates(tops: readonly TaskDefinition[], places: ReadonlyMap<string, Place>): Map<string, Gate> {
  const gates = new Map<string, Gate>();
  for (const task of tops) {
    const text = places.get(task.key)?.gate ?? '';
    if (text !== '' && !gates.has(text)) gates.set(text, { index: gates.size, after: text.split(',') });
  }
  return gates;
}

function segmentOf(
  top: TaskDefinition,
  workflow: Workflow,
  places: ReadonlyMap<string, Place>,
  gates: ReadonlyMap<string, Gate>,
): PlanSegment {
  const ready: string[] = [];
  const job = jobOf(top, workflow, places, ready);
  return { gate: gates.get(places.get(top.key)?.gate ?? '')?.index ?? null, job, ready };
}

/** The job that ends with the task, with the jobs it waits for below it. Recursion is bounded by {@link BOUNDS}. */
function jobOf(last: TaskDefinition, workflow: Workflow, places: ReadonlyMap<string, Place>, ready: string[]): PlanJob {
  const chain = [last];
  let first = last;
  for (
    let previous = fusedWith(first, workflow, places);
    previous !== undefined;
    previous = fusedWith(first, workflow, places)
  ) {
    chain.unshift(previous);
    first = previous;
  }
  const needs = places.get(first.key)?.native === true ? first.needs : [];
  if (needs.length === 0) ready.push(first.key);
  return {
    id: first.key,
    tasks: chain.map((task) => task.key),
    class: last.class.name,
    ...(last.priority === 0 ? {} : { priority: last.priority }),
    children: needs.flatMap((key) => {
      const need = workflow.tasks.get(key);
      return need === undefined ? [] : [jobOf(need, workflow, places, ready)];
    }),
  };
}

/** The dependency that runs in the same job: a native join of one task, of the same class and level. */
function fusedWith(
  task: TaskDefinition,
  workflow: Workflow,
  places: ReadonlyMap<string, Place>,
): TaskDefinition | undefined {
  const [only] = task.needs;
  // Tasks that come together with those of other runs end together with them too: each is a job of its own.
  if (task.batchKey !== undefined) return undefined;
  if (!workflow.fuse || only === undefined || task.needs.length > 1 || places.get(task.key)?.native !== true)
    return undefined;
  const need = workflow.tasks.get(only);
  const alike = need?.class.name === task.class.name && need.level === task.level && need.priority === task.priority;
  return alike ? need : undefined;
}

function planTasks(
  order: readonly TaskDefinition[],
  segments: readonly PlanSegment[],
  gates: ReadonlyMap<string, Gate>,
): Record<string, PlanTask> {
  const towards = new Map<string, number[]>();
  for (const { index, after } of gates.values()) {
    for (const key of after) towards.set(key, [...(towards.get(key) ?? []), index]);
  }
  const segmentOfTask = new Map<string, number>();
  for (const [index, segment] of segments.entries()) {
    for (const key of tasksOf(segment.job)) segmentOfTask.set(key, index);
  }
  return Object.fromEntries(
    order.map(({ key }) => [key, { segment: segmentOfTask.get(key) ?? -1, gates: towards.get(key) ?? [] }]),
  );
}

/** The tasks of a job and of all jobs below it. */
export function* tasksOf(job: PlanJob): Generator<string> {
  for (const child of job.children) yield* tasksOf(child);
  yield* job.tasks;
}

function listGates(gates: ReadonlyMap<string, Gate>, segments: readonly PlanSegment[]): PlanGate[] {
  const waiting = new Map<number, number[]>();
  for (const [index, { gate }] of segments.entries()) {
    if (gate !== null) waiting.set(gate, [...(waiting.get(gate) ?? []), index]);
  }
  return [...gates.values()].map(({ index, after }) => ({ after, segments: waiting.get(index) ?? [] }));
}

function classesOf(tasks: readonly TaskDefinition[]): Record<string, ResourceClass> {
  const names = [...new Map(tasks.map((task) => [task.class.name, task.class]))].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(names);
}
