import type { Usage } from './usage';

/** One thing measured, beside what it is measured against. */
export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly lattice: number;
  readonly raw?: number;
  /** lattice / raw. */
  readonly ratio?: number;
  /** What is to be reached, in words. */
  readonly target: string;
  readonly ok: boolean;
}

export interface Result {
  readonly lines: readonly Line[];
  /** What the parts used while something was measured, by its name. */
  readonly usage?: Readonly<Record<string, Usage & { readonly tasks: number }>>;
}

export interface Measured extends Result {
  readonly benchmark: string;
}

/** A target of at most so much; of the ratio where there is something to compare with. */
export function atMost(most: number, line: Omit<Line, 'ok' | 'target' | 'ratio'>): Line {
  return judged(line, (value) => value <= most, `<= ${most}`);
}

/** A target of at least so much. */
export function atLeast(least: number, line: Omit<Line, 'ok' | 'target' | 'ratio'>): Line {
  return judged(line, (value) => value >= least, `>= ${least}`);
}

/** Without a target. */
export function justSaid(line: Omit<Line, 'ok' | 'target' | 'ratio'>): Line {
  return { ...line, ...(line.raw === undefined ? {} : { ratio: line.lattice / line.raw }), target: '', ok: true };
}

function judged(line: Omit<Line, 'ok' | 'target' | 'ratio'>, holds: (value: number) => boolean, bound: string): Line {
  if (line.raw === undefined) return { ...line, target: `${bound} ${line.unit}`, ok: holds(line.lattice) };
  const ratio = line.lattice / line.raw;
  return { ...line, ratio, target: `${bound} x raw`, ok: holds(ratio) };
}

/** The table for people. */
export function table(lines: readonly Line[]): string {
  const head = ['what', 'unit', 'lattice', 'raw', 'ratio', 'target', ''];
  const rows = lines.map(({ name, unit, lattice, raw, ratio, target, ok }) => [
    name,
    unit,
    short(lattice),
    raw === undefined ? '' : short(raw),
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
    target,
    target === '' ? '' : ok ? 'ok' : 'MISSED',
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const text = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column < 2 || column > 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [text(head), rule, ...rows.map(text)].join('\n');
}

/** What the parts used: CPU of each as a share of the time, calls and rows for each task. */
export function usageTable(measured: readonly Measured[]): string {
  const lines = measured.flatMap(({ usage = {} }) =>
    Object.entries(usage).map(
      ([name, { wallMs, cpuMs, tasks, redisCommands, redisCalls, transactions, rowsWritten }]) => {
        const cpu = Object.entries(cpuMs).map(([part, ms]) => `${part} ${Math.round((100 * ms) / wallMs)}%`);
        const scripts = (redisCommands['evalsha'] ?? 0) / tasks;
        const each = [
          `scripts ${scripts.toFixed(2)}`,
          `redis calls ${(redisCalls / tasks).toFixed(1)}`,
          `rows ${(rowsWritten / tasks).toFixed(1)}`,
          `transactions ${(transactions / tasks).toFixed(2)}`,
        ];
        return `${name}: ${cpu.join(', ')}; per task: ${each.join(', ')}`;
      },
    ),
  );
  return lines.join('\n');
}

function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
}
