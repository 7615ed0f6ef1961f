import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  BOUNDS,
  compile,
  readDocument,
  renderPlan,
  tasksOf,
  type FlowPlan,
  type PlanJob,
  type Workflow,
} from './index';

type Graph = Record<string, readonly string[]>;

function workflowOf(graph: Graph, options: Record<string, unknown> = {}, task: Record<string, unknown> = {}): Workflow {
  const tasks = Object.fromEntries(
    Object.entries(graph).map(([key, needs]) => [key, { uses: 'handler/noop', needs, ...task }]),
  );
  const read = readDocument({ name: 'test', tasks, ...options });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.workflow;
}

/** Random DAGs: task i may depend on any earlier one; some are forced into chains, trees and layers by density. */
const graphs: fc.Arbitrary<Graph> = fc
  .integer({ min: 1, max: 40 })
  .chain((size) =>
    fc.tuple(fc.constant(size), fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: size, maxLength: size })),
  )
  .map(([size, picks]) =>
    Object.fromEntries(
      Array.from({ length: size }, (_, index) => [
        `t${index}`,
        index === 0
          ? []
          : [...new Set((picks[index] ?? []).map((pick) => `t${index - 1 - (pick % Math.min(index, 6))}`))],
      ]),
    ),
  );

/** Plays a plan as BullMQ and the run hash would, taking ready jobs in the order that `choose` says. */
function play(plan: FlowPlan, graph: Graph, choose: (count: number) => number): void {
  const ended = new Set<string>();
  const counts = plan.gates.map(() => 0);
  const added = new Set<number>();
  const waiting = new Map<string, { job: PlanJob; left: number; parent: string | undefined }>();
  const ready: string[] = [];
  const addJob = (job: PlanJob, parent: string | undefined): void => {
    expect(waiting.has(job.id)).toBe(false);
    waiting.set(job.id, { job, left: job.children.length, parent });
    if (job.children.length === 0) ready.push(job.id);
    for (const child of job.children) addJob(child, job.id);
  };
  const addSegment = (index: number): void => {
    expect(added.has(index)).toBe(false);
    added.add(index);
    const segment = plan.segments[index];
    if (segment !== undefined) addJob(segment.job, undefined);
  };
  plan.segments.forEach((segment, index) => {
    if (segment.gate === null) addSegment(index);
  });
  while (ready.length > 0) {
    const [id] = ready.splice(choose(ready.length), 1);
    const entry = waiting.get(id ?? '');
    if (entry === undefined) throw new Error('unknown job');
    for (const key of entry.job.tasks) {
      for (const need of graph[key] ?? []) expect(ended).toContain(need);
      expect(ended).not.toContain(key);
      ended.add(key);
      for (const gate of plan.tasks[key]?.gates ?? []) {
        counts[gate] = (counts[gate] ?? 0) + 1;
        if (counts[gate] === plan.gates[gate]?.after.length) plan.gates[gate]?.segments.forEach(addSegment);
      }
    }
    const parent = entry.parent === undefined ? undefined : waiting.get(entry.parent);
    if (parent !== undefined && (parent.left -= 1) === 0) ready.push(parent.job.id);
  }
  expect([...ended].sort()).toEqual(Object.keys(graph).sort());
  expect(added.size).toBe(plan.segments.length);
}

test('every task runs once, after its dependencies, in whatever order ready jobs are taken', () => {
  fc.assert(
    fc.property(
      graphs,
      fc.boolean(),
      fc.constantFrom('cancel', 'continue'),
      fc.infiniteStream(fc.nat()),
      (graph, fuse, onFailure, stream) => {
        const plan = compile(workflowOf(graph, { fuse, onFailure }));
        play(plan, graph, (count) => Number(stream.next().value) % count);
      },
    ),
    { numRuns: 500 },
  );
});

test('every task is in exactly one job, and jobs hold one class', () => {
  fc.assert(
    fc.property(graphs, fc.boolean(), (graph, fuse) => {
      const plan = compile(workflowOf(graph, { fuse }));
      expect(plan.segments.flatMap((segment) => [...tasksOf(segment.job)]).sort()).toEqual(Object.keys(graph).sort());
    }),
  );
});

function chain(length: number): Graph {
  return Object.fromEntries(Array.from({ length }, (_, index) => [`t${index}`, index === 0 ? [] : [`t${index - 1}`]]));
}

function jobs(plan: FlowPlan): PlanJob[] {
  const all = (job: PlanJob): PlanJob[] => [job, ...job.children.flatMap(all)];
  return plan.segments.flatMap((segment) => all(segment.job));
}

test('a chain of 40 is one flow: one job fused, forty jobs apart', () => {
  const fused = compile(workflowOf(chain(40)));
  expect([fused.segments.length, jobs(fused).length]).toEqual([1, 1]);
  const apart = compile(workflowOf(chain(40), { fuse: false }));
  expect([apart.segments.length, jobs(apart).length]).toEqual([1, 40]);
});

test('a diamond is two segments, a fan-out and fan-in of 100 two; a wider one is a segment for each task', () => {
  expect(compile(workflowOf({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] })).segments).toHaveLength(2);
  const fan = (width: number): Graph => {
    const middle = Array.from({ length: width }, (_, index) => `m${index}`);
    return { s: [], ...Object.fromEntries(middle.map((key) => [key, ['s']])), e: middle };
  };
  expect(compile(workflowOf(fan(100))).segments).toHaveLength(2);
  const wide = compile(workflowOf(fan(1_000)));
  expect(wide.segments).toHaveLength(1_002);
  expect(wide.gates.map(({ after }) => after.length)).toEqual([1, 1_000]);
});

test('a fused chain ends where the class changes', () => {
  const read = readDocument({
    name: 'mixed',
    tasks: {
      a: { uses: 'handler/one' },
      b: { uses: 'handler/one', needs: 'a' },
      c: { uses: 'handler/two', needs: 'b' },
    },
  });
  if (!read.ok) throw new Error('invalid');
  const plan = compile(read.workflow);
  expect(plan.segments).toHaveLength(1);
  expect(plan.segments[0]?.job).toMatchObject({ tasks: ['c'], children: [{ tasks: ['a', 'b'] }] });
});

test('the bounds hold: depth, children, tasks of a segment', () => {
  const deep = compile(workflowOf(chain(1200), { fuse: false }));
  const depth = (job: PlanJob): number => 1 + Math.max(0, ...job.children.map(depth));
  expect(Math.max(...deep.segments.map((segment) => depth(segment.job)))).toBeLessThanOrEqual(BOUNDS.depth);
  const wide = Array.from({ length: 1500 }, (_, index) => `m${index}`);
  const plan = compile(workflowOf({ ...Object.fromEntries(wide.map((key) => [key, []])), e: wide }));
  expect(plan.segments).toHaveLength(1501);
});

test('tasks with the same dependencies share a gate', () => {
  const layer = (name: string, needs: string[]): Graph =>
    Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${name}${i}`, needs]));
  const first = layer('a', []);
  const plan = compile(workflowOf({ ...first, ...layer('b', Object.keys(first)) }));
  expect(plan.gates).toHaveLength(1);
});

test('a guarded task and those after it wait at gates', () => {
  const read = readDocument({
    name: 'guarded',
    tasks: {
      a: { uses: 'handler/noop' },
      b: { uses: 'handler/noop', if: '${{ tasks.a.output == 1 }}' },
      c: { uses: 'handler/noop', needs: ['b'] },
    },
  });
  if (!read.ok) throw new Error('invalid');
  expect(compile(read.workflow).segments).toHaveLength(3);
});

const golden = join(__dirname, '..', 'golden');
const names = readdirSync(golden).filter((name) => name.endsWith('.document.json'));
test('a task with a queue timeout is a segment of its own, of one job', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const plan = compile(workflowOf(graph, {}, { queueTimeout: '1m' }));
      expect(plan.segments.map(({ job }) => [job.tasks.length, job.children.length])).toEqual(
        Object.keys(graph).map(() => [1, 0]),
      );
    }),
    { numRuns: 30 },
  );
});

test('there are golden documents', () => {
  expect(names.length).toBeGreaterThanOrEqual(5);
});
test.each(names)('%s compiles to its golden plan', (name) => {
  const read = readDocument(JSON.parse(readFileSync(join(golden, name), 'utf8')));
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  const plan = compile(read.workflow);
  const base = join(golden, name.replace('.document.json', ''));
  expect(plan).toEqual(JSON.parse(readFileSync(`${base}.plan.json`, 'utf8')));
  expect(`${renderPlan(plan, read.workflow)}\n`).toBe(readFileSync(`${base}.plan.txt`, 'utf8'));
});
