import { CODES, isErrorCode, type RunView, type TaskError, type TaskView } from '@lattice/contracts';
import { between, count, duration, firstLine } from '../format';
import { plainText, type Colors } from '../terminal';
import { markOf, paintState } from './marks';
import { renderSlowest } from './where-time-went';

export interface SummaryOptions {
  colors: Colors;
  /** `lattice`, or how else the user calls it; undefined when the platform ends now and there is nothing to be asked. */
  command: string | undefined;
  /** The last lines of a task's log, by its key. */
  tails: ReadonlyMap<string, readonly string[]>;
}

const MOST_FAILED = 10;
const MOST_OUTPUT_LINES = 200;

/** What is said at the end of a run: how it ended, its outputs, each failed task with error, hint and last log lines, and what to do next. */
export function renderSummary(run: RunView, options: SummaryOptions): string {
  const blocks = [
    headline(run, options),
    outputs(run, options),
    ...failures(run, options),
    runError(run, options),
    renderSlowest(run.summary, options.colors),
    more(run, options),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function headline(run: RunView, { colors }: SummaryOptions): string {
  const paint = paintState(run.status, colors);
  const took = between(run.startedAt ?? run.createdAt, run.finishedAt);
  const time =
    took === undefined ? '' : run.status === 'completed' ? ` in ${duration(took)}` : ` after ${duration(took)}`;
  const facts = [count(run.tasks.length, 'task'), ...notable(run)].join(', ');
  return `${paint(`${markOf(run.status)} ${run.workflow} ${run.status}`)}${time} ${colors.dim(`(${facts})`)}`;
}

function notable({ tasks }: RunView): string[] {
  const of = (status: TaskView['status']): number => tasks.filter((task) => task.status === status).length;
  const states = ['failed', 'skipped', 'cancelled'] as const;
  return states.flatMap((status) => (of(status) > 0 ? [`${of(status)} ${status}`] : []));
}

function outputs(run: RunView, { colors }: SummaryOptions): string {
  if (run.outputs === null || Object.keys(run.outputs).length === 0) return '';
  const lines = JSON.stringify(run.outputs, null, 2).split('\n');
  const cut = lines.length - MOST_OUTPUT_LINES;
  const shown = cut > 0 ? [...lines.slice(0, MOST_OUTPUT_LINES), colors.dim(`… ${count(cut, 'line')} more`)] : lines;
  return [colors.bold('outputs'), ...shown].join('\n');
}

function failures(run: RunView, options: SummaryOptions): string[] {
  const failed = run.tasks.filter(({ status }) => status === 'failed');
  // What to do about a code is said once.
  const said = new Set<string>();
  const blocks = failed.slice(0, MOST_FAILED).map((task) => {
    const lines = failure(task, options, !said.has(task.error?.code ?? ''));
    said.add(task.error?.code ?? '');
    return lines;
  });
  const rest = failed.length - MOST_FAILED;
  return rest > 0 ? [...blocks, options.colors.red(`… and ${count(rest, 'failed task')} more`)] : blocks;
}

function failure(task: TaskView, options: SummaryOptions, hint: boolean): string {
  const { colors } = options;
  const attempts = task.attempts > 1 ? colors.dim(` after ${task.attempts} attempts`) : '';
  const error = task.error;
  const lines = [`${colors.red(`✖ ${task.key}`)}  ${colors.red(error?.code ?? 'failed')}${attempts}`];
  if (error) lines.push(...errorLines(error, colors, hint));
  const tail = options.tails.get(task.key) ?? [];
  if (tail.length > 0) lines.push('  last lines of its log:', ...tail.map((line) => colors.dim(`    ${line}`)));
  return lines.join('\n');
}

function errorLines(error: TaskError, colors: Colors, hint = true): string[] {
  const lines = plainText(error.message)
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
  if (error.cause)
    lines.push(colors.dim(`  because: ${error.cause.code}: ${plainText(firstLine(error.cause.message))}`));
  if (hint && isErrorCode(error.code)) lines.push(`  ${colors.dim(`hint: ${CODES[error.code].hint}`)}`);
  return lines;
}

/** The error of the run itself, unless a failed task has said it already. */
function runError(run: RunView, { colors }: SummaryOptions): string {
  const { error } = run;
  if (error === null || run.status === 'completed') return '';
  const said = run.tasks.some((task) => task.status === 'failed' && task.error !== null);
  if (said && (error.code === 'run_failed' || run.tasks.some((task) => task.error?.message === error.message)))
    return '';
  return [`${colors.red(`✖ ${run.workflow}`)}  ${colors.red(error.code)}`, ...errorLines(error, colors)].join('\n');
}

function more(run: RunView, { colors, command }: SummaryOptions): string {
  if (command === undefined) return '';
  const next = [`details: ${command} runs get ${run.runId}`];
  if (run.status !== 'completed') {
    const failed = run.tasks.find(({ status }) => status === 'failed');
    if (failed) next.push(`logs:    ${command} runs logs ${run.runId} ${failed.key}`);
    next.push(`again:   ${command} runs retry ${run.runId}`);
  }
  return next.map((line) => colors.dim(line)).join('\n');
}
