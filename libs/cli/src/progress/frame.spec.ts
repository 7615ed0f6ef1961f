import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { createColors } from 'picocolors';
import type { RunEvent } from '@lattice/contracts';
import { widthOf } from '../text-width';
import { renderFrame } from './frame';
import { renderEvent } from './lines';
import { applyEvent, newRunState, type RunState } from './run-state';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const plain = createColors(false);
const error = { code: 'task_failed', message: 'TypeError: no rows\n    at main (task.js:1)', retryable: true };

type Said = [ms: number, type: string, taskKey?: string | null, data?: Record<string, unknown>, attempt?: number];

function events(...list: Said[]): RunEvent[] {
  return list.map(([ms, type, taskKey = null, data = {}, attempt], n) => ({
    id: String(n + 1),
    type,
    runId: 'r1',
    taskKey,
    attempt: taskKey === null ? null : (attempt ?? 1),
    at: new Date(START + ms).toISOString(),
    data,
  }));
}

function stateAfter(keys: string[], ...list: Said[]): RunState {
  const state = newRunState({ runId: 'r1', workflow: 'etl', tasks: keys.map((key) => ({ key })) });
  for (const event of events(...list)) applyEvent(state, event);
  return state;
}

interface Shown {
  ms: number;
  columns?: number;
  rows?: number;
  hint?: string;
  colored?: boolean;
}

function frame(state: RunState, { ms, columns = 100, rows = 24, hint, colored = false }: Shown): string[] {
  // At a multiple of ten pictures the spinner shows its first one.
  return renderFrame(state, { now: START + ms, columns, rows, colors: colored ? createColors(true) : plain, hint });
}

const begun: Said[] = [
  [0, 'run.created'],
  [10, 'run.started'],
  [20, 'task.queued', 'fetch'],
  [30, 'task.started', 'fetch', { workerId: 'w1' }],
];

describe('renderFrame', () => {
  it('has a line per task in the order of the document, with progress, errors and reasons', () => {
    const state = stateAfter(
      ['fetch', 'left', 'right', 'train', 'join'],
      ...begun,
      [230, 'task.completed', 'fetch', { output: 1 }],
      [240, 'task.started', 'left', { workerId: 'w1' }],
      [250, 'task.progress', 'left', { percent: 45, text: 'part 3' }],
      [260, 'task.queued', 'train', { reason: 'no worker has a GPU free' }],
      [300, 'task.started', 'right', { workerId: 'w1' }, 2],
      [700, 'task.failed', 'right', { error }, 2],
    );
    expect(frame(state, { ms: 1_600, hint: 'Ctrl-C stops' })).toEqual([
      'etl r1',
      ' ✔ fetch  completed   200 ms',
      ' ⠋ left   running      1.4 s  ━━━━━━━━━───────────  45 %  part 3',
      ' ✖ right  failed      400 ms  attempt 2: TypeError: no rows',
      ' ○ train  queued              no worker has a GPU free',
      ' · join   pending',
      ' ⠋ running  2 of 5 done  1.6 s  ━━━━━━━━────────────   Ctrl-C stops',
    ]);
  });

  it('counts down to the next attempt', () => {
    const state = stateAfter(['fetch'], ...begun, [100, 'task.retrying', 'fetch', { delay: 2_000, error }]);
    expect(frame(state, { ms: 800 })[1]).toBe(' ↻ fetch  retrying            again in 1.3 s: TypeError: no rows');
  });

  it('shows what failed and what runs longest when there are many tasks whose names tell nothing', () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `t${n}`);
    const state = stateAfter(
      keys,
      [0, 'run.created'],
      [0, 'run.started'],
      ...keys.slice(0, 500).map((key): Said => [0, 'task.started', key, { workerId: 'w1' }]),
      ...keys.slice(1, 499).map((key): Said => [50, 'task.completed', key, {}]),
      [60, 'task.failed', 't0', { error }],
    );
    expect(frame(state, { ms: 800, rows: 14 })).toEqual([
      'etl r1',
      ' ⠋ running  499 of 1000 done  800 ms  ━━━━━━━━━━──────────',
      ' ✖ t0    failed       60 ms  TypeError: no rows',
      ' ⠋ t499  running     800 ms',
    ]);
    const many = stateAfter(keys, ...keys.map((key): Said => [0, 'task.started', key, { workerId: 'w1' }]));
    const crowded = frame(many, { ms: 800, rows: 14 });
    expect(crowded).toHaveLength(10);
    expect(crowded.at(-1)).toBe('   … and 993 running');
  });

  it('takes many tasks together by their names', () => {
    const keys = ['load', 'train'].flatMap((name) => Array.from({ length: 12 }, (_, n) => `${name}_${n}`));
    const state = stateAfter(
      [...keys, 'report'],
      [0, 'run.created'],
      [0, 'run.started'],
      ...keys.map((key): Said => [0, 'task.started', key, { workerId: 'w1' }]),
      ...keys.slice(0, 18).map((key): Said => [50, 'task.completed', key, {}]),
      [60, 'task.failed', 'train_6', { error }],
      [60, 'task.retrying', 'train_7', { error, delay: 100 }],
    );
    const lines = [
      'etl r1',
      ' ✔ load    ━━━━━━━━━━━━━━━━━━━━  12 of 12',
      ' ⠋ train   ━━━━━━━━━━━━────────   7 of 12  1 failed, 1 retrying, 4 running',
      ' · report  ────────────────────   0 of 1',
      ' ⠋ running  19 of 25 done  800 ms  ━━━━━━━━━━━━━━━─────',
    ];
    expect(frame(state, { ms: 800, rows: 24 })).toEqual([
      ...lines,
      ' ✖ train_6   failed       60 ms  TypeError: no rows',
      ' ↻ train_7   retrying            waits for its turn: TypeError: no rows',
      ' ⠋ train_8   running     800 ms',
      ' ⠋ train_9   running     800 ms',
      ' ⠋ train_10  running     800 ms',
      ' ⠋ train_11  running     800 ms',
    ]);
    applyEvent(state, { ...events([900, 'run.failed', null, { error }])[0]!, id: '99' });
    expect(frame(state, { ms: 1_600, rows: 24 })).toHaveLength(lines.length);
  });

  it('is never wider or higher than the terminal, whatever the tasks are called and do', () => {
    const said = fc.constantFrom<Said[1]>(
      'task.started',
      'task.failed',
      'task.retrying',
      'task.completed',
      'task.progress',
      'task.queued',
    );
    const step = fc.record({ type: said, at: fc.nat(60), text: fc.string({ unit: 'grapheme', maxLength: 60 }) });
    const size = fc.record({ columns: fc.integer({ min: 20, max: 140 }), rows: fc.integer({ min: 6, max: 50 }) });
    const names = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom('a', 'b', '_', '1', '日'), minLength: 1, maxLength: 50 }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(
        names,
        fc.array(step, { maxLength: 80 }),
        size,
        fc.boolean(),
        (keys, steps, { columns, rows }, colored) => {
          const happened = steps.map(({ type, at, text }, n): Said => [
            n,
            type,
            keys[at % keys.length] ?? null,
            { workerId: 'w', error: { ...error, message: text }, delay: 100, percent: at, text, reason: text },
            (at % 3) + 1,
          ]);
          const lines = frame(stateAfter(keys, [0, 'run.created'], ...happened), {
            ms: 90,
            columns,
            rows,
            hint: 'Ctrl-C stops',
            colored,
          });
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(widthOf(stripVTControlCharacters(line))).toBeLessThan(columns);
        },
      ),
    );
  });

  it('is never wider than the terminal', () => {
    const state = stateAfter(
      ['a_rather_long_key_of_a_task_that_goes_on_and_on', 'b'],
      [0, 'run.created'],
      [0, 'task.started', 'b', { workerId: 'w1' }],
      [1, 'task.failed', 'b', { error: { ...error, message: 'x'.repeat(300) } }],
      [1, 'task.started', 'a_rather_long_key_of_a_task_that_goes_on_and_on', { workerId: 'w1' }],
      [1, 'task.progress', 'a_rather_long_key_of_a_task_that_goes_on_and_on', { percent: 50, text: 'y'.repeat(300) }],
    );
    for (const columns of [70, 80, 120]) {
      for (const line of frame(state, { ms: 10, columns, hint: 'h'.repeat(60) }))
        expect([...line].length).toBeLessThan(columns);
    }
  });

  it('lets no control character of a task through', () => {
    const evil = { ...error, message: '\u001b[2J\u001b[31mred\u0008' };
    const state = stateAfter(
      ['a'],
      [0, 'task.started', 'a', { workerId: 'w1' }],
      [5, 'task.failed', 'a', { error: evil }],
    );
    expect(frame(state, { ms: 10 })[1]).toBe(' ✖ a  failed        5 ms  red');
  });

  it('opens again after a rerun', () => {
    const state = stateAfter(
      ['fetch'],
      ...begun,
      [40, 'task.failed', 'fetch', { error }],
      [50, 'run.failed', null, { error }],
      [5_000, 'run.started'],
      [5_010, 'task.started', 'fetch', { workerId: 'w1' }, 2],
    );
    expect(state).toMatchObject({ status: 'running', endedAt: undefined });
    expect(frame(state, { ms: 5_600 })).toEqual([
      'etl r1',
      ' ⠋ fetch  running     590 ms  attempt 2',
      ' ⠋ running  0 of 1 done  600 ms  ────────────────────',
    ]);
  });

  it('ignores events it does not know', () => {
    expect(
      stateAfter(
        ['fetch'],
        [0, 'run.hovering'],
        [1, 'task.glowing', 'fetch'],
        [2, 'task.progress', 'fetch', { percent: 'much' }],
      ),
    ).toMatchObject({
      status: 'pending',
    });
  });
});

describe('renderEvent', () => {
  it('is a line per event with the time since the first one', () => {
    const list: Said[] = [
      ...begun,
      [123, 'task.progress', 'fetch', { percent: 45, text: 'part 3' }],
      [223, 'task.retrying', 'fetch', { delay: 1_000, error }],
      [1_230, 'task.started', 'fetch', { workerId: 'w2' }, 2],
      [1_275, 'task.completed', 'fetch', { output: 1 }, 2],
      [1_280, 'task.skipped', 'join', { reason: 'its condition is false' }],
      [1_290, 'run.completed', null, { outputs: {} }],
    ];
    const state = newRunState({ runId: 'r1', workflow: 'etl', tasks: [] });
    const lines = events(...list).flatMap((event) => {
      applyEvent(state, event);
      return renderEvent(event, state, plain);
    });
    expect(lines).toEqual([
      '+0.000s run.created etl r1',
      '+0.010s run.started',
      '+0.020s task.queued fetch',
      '+0.030s task.started fetch on w1',
      '+0.123s task.progress fetch 45 % part 3',
      '+0.223s task.retrying fetch again in 1.0 s: task_failed: TypeError: no rows',
      '+1.230s task.started fetch attempt 2 on w2',
      '+1.275s task.completed fetch attempt 2 (45 ms)',
      '+1.280s task.skipped join: its condition is false',
      '+1.290s run.completed etl (1.3 s)',
    ]);
  });
});
