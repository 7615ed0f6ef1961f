import fc from 'fast-check';
import { criticalPath, type TimedTask } from './critical-path';

const ORIGIN = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number): string => new Date(ORIGIN + ms).toISOString();

interface Task {
  key: string;
  needs: string[];
  duration: number;
  wait: number;
}

/** A graph whose tasks depend on earlier ones only. `wait` is the longest time a task spends in the queue. */
function graphs(wait: number): fc.Arbitrary<Task[]> {
  const one = fc.record({
    duration: fc.nat(50),
    wait: fc.nat(wait),
    needs: fc.array(fc.nat(1_000), { maxLength: 4 }),
  });
  return fc.array(one, { minLength: 1, maxLength: 30 }).map((tasks) =>
    tasks.map(({ duration, wait: waited, needs }, index) => ({
      key: `t${index}`,
      duration,
      wait: waited,
      needs: index === 0 ? [] : [...new Set(needs.map((n) => `t${n % index}`))],
    })),
  );
}

/** The times of a run in which each task begins `wait` after its last dependency. */
function play(tasks: readonly Task[]): Map<string, { start: number; end: number }> {
  const times = new Map<string, { start: number; end: number }>();
  for (const { key, needs, wait, duration } of tasks) {
    const start = Math.max(0, ...needs.map((need) => times.get(need)?.end ?? 0)) + wait;
    times.set(key, { start, end: start + duration });
  }
  return times;
}

function ask(tasks: readonly Task[]): ReturnType<typeof criticalPath> {
  const times = play(tasks);
  const timed: TimedTask[] = [...times].map(([key, { start, end }]) => ({
    key,
    startedAt: at(start),
    finishedAt: at(end),
  }));
  return criticalPath({ tasks: timed, needsOf: (key) => needsOf(tasks, key), startedAt: at(0) });
}

function needsOf(tasks: readonly Task[], key: string): string[] {
  return tasks.find((task) => task.key === key)?.needs ?? [];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe('criticalPath', () => {
  it('is a chain of dependencies that begins without any and ends with the task that ended last', () => {
    fc.assert(
      fc.property(graphs(20), (tasks) => {
        const path = ask(tasks);
        const times = play(tasks);
        const last = Math.max(...[...times.values()].map(({ end }) => end));
        expect(Date.parse(path.at(-1)?.finishedAt ?? '') - ORIGIN).toBe(last);
        expect(needsOf(tasks, path[0]?.key ?? '')).toEqual([]);
        for (const [index, step] of path.entries()) {
          const before = path[index - 1];
          if (before === undefined) continue;
          expect(needsOf(tasks, step.key)).toContain(before.key);
          // Nothing that it waited for ended later than the one before it on the path.
          for (const need of needsOf(tasks, step.key)) {
            expect(times.get(need)?.end).toBeLessThanOrEqual(Date.parse(before.finishedAt) - ORIGIN);
          }
        }
      }),
    );
  });

  it('accounts for the whole time up to its end: durations and waits together, never more than elapsed', () => {
    fc.assert(
      fc.property(graphs(20), (tasks) => {
        const path = ask(tasks);
        const elapsed = Math.max(...[...play(tasks).values()].map(({ end }) => end));
        expect(sum(path.map(({ duration, waited }) => duration + waited))).toBe(elapsed);
        for (const { duration, waited } of path) {
          expect(duration).toBeGreaterThanOrEqual(0);
          expect(waited).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('is the longest chain by durations when nothing ever waits', () => {
    fc.assert(
      fc.property(graphs(0), (tasks) => {
        const longest = new Map<string, number>();
        for (const { key, needs, duration } of tasks) {
          longest.set(key, duration + Math.max(0, ...needs.map((need) => longest.get(need) ?? 0)));
        }
        expect(sum(ask(tasks).map(({ duration }) => duration))).toBe(Math.max(...longest.values()));
      }),
    );
  });

  it('passes through tasks that ended without an attempt', () => {
    const tasks: TimedTask[] = [
      { key: 'a', startedAt: at(0), finishedAt: at(10) },
      { key: 'skipped', startedAt: null, finishedAt: at(12) },
      { key: 'c', startedAt: at(15), finishedAt: at(20) },
      { key: 'never', startedAt: null, finishedAt: null },
    ];
    const needs: Record<string, string[]> = { skipped: ['a'], c: ['skipped'] };
    const path = criticalPath({ tasks, needsOf: (key) => needs[key] ?? [], startedAt: at(0) });
    expect(path.map(({ key, duration, waited }) => [key, duration, waited])).toEqual([
      ['a', 10, 0],
      ['c', 5, 5],
    ]);
  });

  it('leaves out what had ended before the run began, and is empty before anything ended', () => {
    const tasks: TimedTask[] = [
      { key: 'reused', startedAt: at(-500), finishedAt: at(-400) },
      { key: 'again', startedAt: at(5), finishedAt: at(20) },
    ];
    const needsOf = (key: string): string[] => (key === 'again' ? ['reused'] : []);
    expect(criticalPath({ tasks, needsOf, startedAt: at(0) })).toEqual([
      { key: 'again', startedAt: at(5), finishedAt: at(20), duration: 15, waited: 5 },
    ]);
    expect(
      criticalPath({ tasks: [{ key: 'a', startedAt: null, finishedAt: null }], needsOf, startedAt: null }),
    ).toEqual([]);
  });
});
