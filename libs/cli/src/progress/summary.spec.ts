import { createColors } from 'picocolors';
import type { RunView, TaskView } from '@lattice/contracts';
import { renderSummary } from './summary';

const colors = createColors(false);
const error = { code: 'timeout', message: 'the attempt took longer than 1 s', retryable: true };

function task(key: string, changes: Partial<TaskView> = {}): TaskView {
  const done: TaskView = {
    key,
    status: 'completed',
    startedAt: '2026-01-01T00:00:00.100Z',
    finishedAt: '2026-01-01T00:00:00.200Z',
    attempts: 1,
    workerId: 'w1',
    output: 1,
    error: null,
    reason: null,
  };
  return { ...done, ...changes };
}

function run(changes: Partial<RunView>): RunView {
  const done: RunView = {
    runId: 'r1',
    workflow: 'hello',
    version: null,
    status: 'completed',
    priority: 0,
    tags: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.050Z',
    finishedAt: '2026-01-01T00:00:01.350Z',
    inputs: {},
    outputs: null,
    error: null,
    reason: null,
    tasks: [task('greet'), task('join')],
  };
  return { ...done, ...changes };
}

function summary(view: RunView, tails: Record<string, string[]> = {}): string[] {
  return renderSummary(view, { colors, command: 'lattice', tails: new Map(Object.entries(tails)) }).split('\n');
}

describe('renderSummary', () => {
  it('prints the outputs as JSON, the time, and where to see more', () => {
    expect(summary(run({ outputs: { text: 'HELLO WORLD' } }))).toEqual([
      '✔ hello completed in 1.3 s (2 tasks)',
      '',
      'outputs',
      '{',
      '  "text": "HELLO WORLD"',
      '}',
      '',
      'details: lattice runs get r1',
    ]);
  });

  it('says of each failed task its error, the hint of its code and the end of its log', () => {
    const failed = task('join', { status: 'failed', attempts: 3, error });
    const runError = { code: 'run_failed', message: 'task join failed', retryable: false };
    const view = run({
      status: 'failed',
      tasks: [task('greet'), failed, task('rest', { status: 'cancelled' })],
      error: runError,
    });
    expect(summary(view, { join: ['reading', 'still reading'] })).toEqual([
      '✖ hello failed after 1.3 s (3 tasks, 1 failed, 1 cancelled)',
      '',
      '✖ join  timeout after 3 attempts',
      '  the attempt took longer than 1 s',
      '  hint: Raise the limit, or make the task quicker.',
      '  last lines of its log:',
      '    reading',
      '    still reading',
      '',
      'details: lattice runs get r1',
      'logs:    lattice runs logs r1 join',
      'again:   lattice runs retry r1',
    ]);
  });

  it('says the error of the run when no task has one', () => {
    const lines = summary(
      run({ status: 'failed', error: { code: 'run_timeout', message: 'longer than 1 s', retryable: false } }),
    );
    expect(lines).toContain('✖ hello  run_timeout');
    expect(lines).toContain('  longer than 1 s');
  });

  it('names ten failed tasks and counts the others', () => {
    const tasks = Array.from({ length: 12 }, (_, n) => task(`t${n}`, { status: 'failed', error }));
    expect(summary(run({ status: 'failed', tasks })).filter((line) => line.startsWith('✖ t'))).toHaveLength(10);
    expect(summary(run({ status: 'failed', tasks }))).toContain('… and 2 failed tasks more');
  });
});
