import { createColors } from 'picocolors';
import type { PathStep, RunReportSummary } from '@lattice/contracts';
import { renderSlowest, renderTimes } from './where-time-went';

const colors = createColors(false);
const TOTALS = { pending: 0, queued: 0, running: 0, retrying: 0, completed: 3, failed: 0, skipped: 0, cancelled: 0 };

function step(key: string, took: number, waited = 0): PathStep {
  return { key, startedAt: '', finishedAt: '', duration: took, waited };
}

function summary(changes: Partial<RunReportSummary> = {}): RunReportSummary {
  return {
    totals: TOTALS,
    tasks: 3,
    attempts: 4,
    retries: 1,
    elapsed: 3_000,
    queueTime: 20,
    executionTime: 4_500,
    slowest: [
      { key: 'load', executionTime: 2_000 },
      { key: 'fetch', executionTime: 900 },
    ],
    criticalPath: [step('fetch', 900, 100), step('load', 2_000)],
    ...changes,
  };
}

describe('the end of a run', () => {
  it('names the slowest tasks and the chain that the end waited for', () => {
    expect(renderSlowest(summary(), colors).split('\n')).toEqual([
      'slowest:  load 2.0 s, fetch 900 ms',
      'critical: fetch → load (3.0 s)',
    ]);
  });

  it('says nothing of a run of one task, nor of a quick one, nor without a summary', () => {
    expect(renderSlowest(summary({ tasks: 1 }), colors)).toBe('');
    expect(renderSlowest(summary({ elapsed: 40 }), colors)).toBe('');
    expect(renderSlowest(undefined, colors)).toBe('');
  });

  it('shows the ends of a long path', () => {
    const path = Array.from({ length: 40 }, (_, n) => step(`t${n}`, 100));
    expect(renderSlowest(summary({ criticalPath: path }), colors)).toContain(
      't0 → t1 → t2 → … 34 more … → t37 → t38 → t39 (4.0 s)',
    );
  });
});

describe('the times of a run', () => {
  it('are elapsed, work, slowest tasks and critical path', () => {
    expect(renderTimes(summary(), colors).split('\n')).toEqual([
      'elapsed   3.0 s, after 20 ms in the queue',
      'work      4.5 s in 4 attempts (1 beyond the first of their task)',
      'slowest   load 2.0 s, fetch 900 ms',
      'critical  fetch → load (3.0 s, 100 ms of it waiting)',
    ]);
  });

  it('are nothing before the run started', () => {
    expect(renderTimes(summary({ elapsed: null }), colors)).toBe('');
  });
});
