import type { PathStep, RunReportSummary } from '@lattice/contracts';
import { count, duration } from '../format';
import type { Colors } from '../terminal';

/** So many tasks of a long critical path are shown, half from its begin and half from its end. */
const MOST_STEPS = 6;
const MOST_SLOWEST = 3;
/** A run that took less has nothing to be explained. */
const QUICK_MS = 1_000;

/** Two short lines for the end of a run: its slowest tasks, and its critical path; '' when they tell nothing. */
export function renderSlowest(summary: RunReportSummary | undefined, colors: Colors): string {
  if (summary === undefined || summary.tasks < 2 || (summary.elapsed ?? 0) < QUICK_MS) return '';
  const slowest = summary.slowest.slice(0, MOST_SLOWEST);
  const shown = slowest.map(({ key, executionTime }) => `${key} ${duration(executionTime)}`).join(', ');
  const lines = shown === '' ? [] : [`slowest:  ${shown}`];
  const path = summary.criticalPath;
  // A path of one task says what the slowest have said.
  if (path.length > 1) lines.push(`critical: ${arrows(path)} (${duration(spanOf(path))})`);
  return lines.map((line) => colors.dim(line)).join('\n');
}

/** The block of `runs get`: times, attempts, slowest tasks, critical path; '' before anything ran. */
export function renderTimes(summary: RunReportSummary | undefined, colors: Colors): string {
  if (summary === undefined || summary.elapsed === null) return '';
  const { attempts, retries, elapsed, queueTime, executionTime, slowest, criticalPath: path } = summary;
  const again = retries > 0 ? ` (${retries} beyond the first of their task)` : '';
  const facts: [string, string][] = [
    ['elapsed', `${duration(elapsed)}, after ${duration(queueTime ?? 0)} in the queue`],
    ['work', `${duration(executionTime)} in ${count(attempts, 'attempt')}${again}`],
  ];
  if (slowest.length > 0)
    facts.push(['slowest', slowest.map(({ key, executionTime: took }) => `${key} ${duration(took)}`).join(', ')]);
  if (path.length > 1) facts.push(['critical', `${arrows(path)} (${duration(spanOf(path))}${waits(path)})`]);
  return facts.map(([name, value]) => `${colors.dim(name.padEnd(9))} ${value}`).join('\n');
}

/** `a → b → c`; of a long path the ends. */
function arrows(path: readonly PathStep[]): string {
  const keys = path.map(({ key }) => key);
  if (keys.length <= MOST_STEPS) return keys.join(' → ');
  const half = MOST_STEPS / 2;
  const left = keys.length - MOST_STEPS;
  return [...keys.slice(0, half), `… ${left} more …`, ...keys.slice(-half)].join(' → ');
}

function spanOf(path: readonly PathStep[]): number {
  return path.reduce((sum, { duration: took, waited }) => sum + took + waited, 0);
}

function waits(path: readonly PathStep[]): string {
  const waited = path.reduce((sum, step) => sum + step.waited, 0);
  return waited > 0 ? `, ${duration(waited)} of it waiting` : '';
}
