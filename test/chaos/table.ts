import type { Scenario } from './scenario';
import type { Report } from './verdict';

export type Row = Readonly<
  Record<'scenario' | 'breaks' | 'runs' | 'kills' | 'attempts' | 'again' | 'recovery' | 'time' | 'result', string>
>;

const HEADS: Row = {
  scenario: 'scenario',
  breaks: 'what is broken',
  runs: 'runs',
  kills: 'kills',
  attempts: 'attempts',
  again: 'second executions, with their reason',
  recovery: 'longest recovery',
  time: 'time',
  result: 'result',
};

export function rowOf({ name, breaks }: Scenario, report: Report, ms: number): Row {
  const reasons = [...report.reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return {
    scenario: name,
    breaks,
    runs: String(report.runs),
    kills: String(report.kills),
    attempts: String(report.attempts),
    again: report.seconds === 0 ? '0' : reasons,
    recovery: report.longestRecovery === undefined ? '-' : `${(report.longestRecovery / 1_000).toFixed(1)} s`,
    time: `${Math.round(ms / 1_000)} s`,
    result: report.faults.length === 0 ? 'ok' : `${report.faults.length} faults`,
  };
}

/** A table that is Markdown and can be read on a terminal. */
export function tableOf(rows: readonly Row[]): string {
  const columns = Object.keys(HEADS) as (keyof Row)[];
  const widths = columns.map((column) => Math.max(...[HEADS, ...rows].map((row) => row[column].length)));
  const line = (row: Row): string =>
    `| ${columns.map((column, at) => row[column].padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(HEADS), rule, ...rows.map(line)].join('\n');
}
