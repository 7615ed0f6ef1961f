import { TASK_STATUSES, TASK_TRANSITIONS, isFinalTask, type EventType, type TaskStatus } from '@lattice/contracts';
import fc from 'fast-check';
import { RANKS, collapse } from './collapse';
import type { HistoryEntry } from './entry';

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';
let number = 0;

function entry(type: EventType, data: unknown, rest: Partial<HistoryEntry> = {}): HistoryEntry {
  number += 1;
  return {
    streamId: `1-${number}`,
    type,
    runId: RUN,
    epoch: 1,
    taskKey: type.startsWith('task.') ? 'a' : null,
    attempt: null,
    at: number,
    data: JSON.stringify(data),
    ...rest,
  };
}

const error = { code: 'task_failed', message: 'no', retryable: true };

test('a task that was queued, started and completed within a batch is one change', () => {
  const batch = [
    entry('task.queued', { class: 'cpu' }, { at: 10 }),
    entry('task.started', { workerId: 'w' }, { attempt: 1, at: 20 }),
    entry('task.log', { stream: 'stdout', text: 'hi' }, { attempt: 1 }),
    entry('task.completed', { output: { n: 1 } }, { attempt: 1, at: 30 }),
  ];
  expect(collapse(batch).tasks).toEqual([
    {
      runId: RUN,
      key: 'a',
      epoch: 1,
      attempt: 1,
      attempts: 1,
      status: 'completed',
      workerId: 'w',
      queuedAt: 10,
      startedAt: 20,
      finishedAt: 30,
      output: '{"n":1}',
      outputBytes: null,
      cachedFrom: null,
      error: null,
      reason: null,
    },
  ]);
});

test('logs and progress change no row', () => {
  const batch = [
    entry('task.log', { stream: 'stdout', text: 'x' }, { attempt: 1 }),
    entry('task.progress', { percent: 5 }, { attempt: 1 }),
    entry('run.created', { workflow: 'w' }),
  ];
  expect(collapse(batch)).toEqual({ tasks: [], runs: [] });
});

test('an output kept apart leaves its size, a null output leaves the JSON null', () => {
  const [apart] = collapse([entry('task.completed', { output: null }, { attempt: 1, outputBytes: 70_000 })]).tasks;
  expect(apart).toMatchObject({ output: null, outputBytes: 70_000 });
  const [none] = collapse([entry('task.completed', { output: null }, { attempt: 1 })]).tasks;
  expect(none).toMatchObject({ output: 'null', outputBytes: null });
});

test('a late answer of an older attempt changes nothing', () => {
  const batch = [
    entry('task.started', { workerId: 'w1' }, { attempt: 1 }),
    entry('task.started', { workerId: 'w2' }, { attempt: 2 }),
    entry('task.completed', { output: 'late' }, { attempt: 1 }),
  ];
  expect(collapse(batch).tasks).toMatchObject([{ status: 'running', attempts: 2, workerId: 'w2', output: null }]);
});

test('a raised epoch opens a task that had ended', () => {
  const batch = [
    entry('task.failed', { error }, { attempt: 1 }),
    entry('task.queued', {}, { epoch: 2 }),
    entry('task.failed', { error }, { attempt: 1, epoch: 1 }),
  ];
  expect(collapse(batch).tasks).toMatchObject([{ status: 'queued', epoch: 2, attempts: 1, error: null }]);
});

test('data that is not what the catalogue says is refused', () => {
  expect(() => collapse([entry('task.failed', { error: 'text' }, { attempt: 1 })])).toThrow();
  expect(() => collapse([entry('task.log', ['x'], { attempt: 1 })])).toThrow();
  expect(() => collapse([{ ...entry('task.started', {}), data: '{' }])).toThrow();
  expect(() => collapse([entry('task.started', { workerId: 'w' }, { taskKey: null, attempt: 1 })])).toThrow('no task');
});

test('a run that started, paused, went on and failed within a batch is one change', () => {
  const batch = [
    entry('run.started', {}, { at: 1 }),
    entry('run.paused', {}),
    entry('run.resumed', {}),
    entry('run.failed', { error }, { at: 9 }),
    entry('run.started', {}, { at: 10 }),
  ];
  expect(collapse(batch).runs).toEqual([
    {
      runId: RUN,
      epoch: 1,
      status: 'failed',
      startedAt: 1,
      finishedAt: 9,
      outputs: null,
      error: JSON.stringify(error),
      reason: null,
    },
  ]);
});

test('the ranks let through every way the transitions have, also when events in between are missing, and no other', () => {
  for (const from of TASK_STATUSES.filter((status) => !isFinalTask(status))) {
    // Going on after a retry is another, higher attempt: the ranks need only order what happens within one.
    const within = reachable(from, (a, b) => !(a === 'retrying' && b === 'running'));
    const ever = reachable(from, () => true);
    for (const to of TASK_STATUSES) {
      const ahead = RANKS[to] > RANKS[from];
      if (within.has(to)) expect({ from, to, ahead }).toEqual({ from, to, ahead: true });
      if (ahead) expect({ from, to, possible: ever.has(to) }).toEqual({ from, to, possible: true });
    }
  }
});

function reachable(from: TaskStatus, allowed: (a: TaskStatus, b: TaskStatus) => boolean): Set<TaskStatus> {
  const seen = new Set<TaskStatus>();
  const visit = (status: TaskStatus): void => {
    for (const next of isFinalTask(status) ? [] : TASK_TRANSITIONS[status]) {
      if (seen.has(next) || !allowed(status, next)) continue;
      seen.add(next);
      visit(next);
    }
  };
  visit(from);
  return seen;
}

/** Steps of tasks that only go forward, as the stream has them, then some of them said again later. */
const histories = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b'),
      attempt: fc.integer({ min: 1, max: 3 }),
      epoch: fc.integer({ min: 1, max: 2 }),
      kind: fc.constantFrom<EventType>(
        'task.queued',
        'task.started',
        'task.retrying',
        'task.completed',
        'task.cancelled',
      ),
    }),
    { maxLength: 12 },
  )
  .map((steps) =>
    steps.map(({ key, attempt, epoch, kind }) =>
      entry(kind, DATA[kind], {
        taskKey: key,
        epoch,
        attempt: kind === 'task.queued' || kind === 'task.cancelled' ? null : attempt,
      }),
    ),
  );
const DATA: Partial<Record<EventType, unknown>> = {
  'task.queued': { reason: 'waits' },
  'task.started': { workerId: 'w' },
  'task.retrying': { delay: 5, error },
  'task.completed': { output: 1 },
  'task.cancelled': { reason: 'asked' },
};

function throws(history: readonly HistoryEntry[]): boolean {
  try {
    collapse(history);
    return false;
  } catch {
    return true;
  }
}

test('steps that follow an end which may not hold are not one change', () => {
  const late = entry('task.completed', { output: 1 }, { attempt: 1 });
  expect(throws([late, entry('task.cancelled', { reason: 'asked' })])).toBe(true);
  expect(throws([late, entry('task.failed', { error }, { attempt: 2 })])).toBe(true);
  expect(throws([late, late, entry('task.queued', {}), entry('task.started', { workerId: 'w' }, { attempt: 1 })])).toBe(
    false,
  );
});

test('property: a status never goes back, and a final one is left by a raised epoch only', () => {
  fc.assert(
    fc.property(histories, (history) => {
      for (let end = 1; end <= history.length && !throws(history.slice(0, end)); end += 1) {
        const before = new Map(collapse(history.slice(0, end - 1)).tasks.map((change) => [change.key, change]));
        for (const after of collapse(history.slice(0, end)).tasks) {
          const was = before.get(after.key);
          if (was === undefined || after.epoch > was.epoch) continue;
          expect(after.epoch).toBe(was.epoch);
          expect(after.attempts ?? 0).toBeGreaterThanOrEqual(was.attempts ?? 0);
          if (isFinalTask(was.status)) expect(after).toEqual(was);
          else if ((after.attempts ?? 0) === (was.attempts ?? 0)) {
            expect(RANKS[after.status]).toBeGreaterThanOrEqual(RANKS[was.status]);
          }
        }
      }
    }),
  );
});
