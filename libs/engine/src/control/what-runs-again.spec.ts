import { TASK_STATUSES, type TaskStatus } from '@lattice/contracts';
import { mustReadDocument, type Workflow } from '@lattice/flow';
import fc from 'fast-check';
import { reusedTasks, rerunTasks, roundsAnew } from './what-runs-again';

/** A workflow of tasks that depend on earlier ones only. */
function workflowOf(rows: readonly (readonly number[])[]): Workflow {
  const tasks = rows.map((needs, index) => [
    `t${index}`,
    { uses: 'handler/noop', needs: index === 0 ? [] : [...new Set(needs.map((n) => `t${n % index}`))] },
  ]);
  return mustReadDocument({ name: 'any', tasks: Object.fromEntries(tasks) });
}

const cases = fc
  .array(fc.tuple(fc.array(fc.nat(100), { maxLength: 3 }), fc.constantFrom(...TASK_STATUSES)), {
    minLength: 1,
    maxLength: 20,
  })
  .chain((rows) => fc.record({ rows: fc.constant(rows), task: fc.nat(rows.length - 1).map((n) => `t${n}`) }))
  .map(({ rows, task }) => ({
    workflow: workflowOf(rows.map(([needs]) => needs)),
    standing: rows.map(([, status], index): { key: string; status: TaskStatus } => ({ key: `t${index}`, status })),
    task,
  }));

const GOOD = new Set<TaskStatus>(['completed', 'skipped']);
const MAP = mustReadDocument({
  name: 'any',
  tasks: { each: { uses: 'map', with: { over: [], do: { uses: 'transform', with: 1 } } } },
}).tasks.get('each')?.control;

describe('a rerun', () => {
  it('does the task and what was cancelled again, with everything downstream, and keeps every other end', () => {
    fc.assert(
      fc.property(cases, ({ workflow, standing, task }) => {
        const again = rerunTasks(workflow, standing, { task, downstream: true });
        for (const { key, status } of standing) {
          const needs = workflow.tasks.get(key)?.needs ?? [];
          const asked = key === task || !['completed', 'failed', 'skipped'].includes(status);
          expect(again.has(key)).toBe(asked || needs.some((need) => again.has(need)));
        }
      }),
    );
  });

  it('of a task alone leaves alone what completed after it', () => {
    const workflow = workflowOf([[], [0], [1]]);
    const standing = ['t0', 't1', 't2'].map((key) => ({ key, status: 'completed' as const }));
    expect([...rerunTasks(workflow, standing, { task: 't1', downstream: false })]).toEqual(['t1']);
  });
});

describe('a fork', () => {
  it('reuses only results whose dependencies are reused, none of the tasks named, and nothing that did not work', () => {
    fc.assert(
      fc.property(cases, ({ workflow, standing, task }) => {
        const reused = new Set(reusedTasks(workflow, standing, [task]));
        for (const { key, status } of standing) {
          const needs = workflow.tasks.get(key)?.needs ?? [];
          const good = key !== task && (status === 'completed' || status === 'skipped');
          expect(reused.has(key)).toBe(good && needs.every((need) => reused.has(need)));
        }
      }),
    );
  });
});

describe('rounds', () => {
  it('are kept exactly where nothing before them is done again but skips, and none were asked to be done anew', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ workflow: plain, standing, task }, asks) => {
        const tasks = new Map([...plain.tasks].map(([key, each]) => [key, { ...each, control: MAP }]));
        const anew = new Set(roundsAnew({ tasks }, standing, asks ? [task] : []));
        const undone = new Set(standing.flatMap(({ key, status }) => (GOOD.has(status) ? [] : [key])));
        for (const { key } of standing) {
          const needs = tasks.get(key)?.needs ?? [];
          const asked = asks && key === task;
          expect(anew.has(key)).toBe(asked || needs.some((need) => undone.has(need) || anew.has(need)));
        }
      }),
    );
  });

  it('are of no interest where a task has none', () => {
    expect(roundsAnew(workflowOf([[], [0]]), [{ key: 't0', status: 'failed' }], ['t1'])).toEqual([]);
  });
});
