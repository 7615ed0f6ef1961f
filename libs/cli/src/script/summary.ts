import type { RunView, TaskError, TaskView } from '@lattice/contracts';
import { between, count, duration, firstLine } from '../format';
import { markOf, paintState } from '../progress/marks';
import { plainText, type Colors } from '../terminal';
import type { ScriptPlan } from './plan';

/** How one script ended. `timeout` is a failure of its own, as it is for whoever reads the list. */
export type ScriptStatus = 'completed' | 'failed' | 'timeout' | 'skipped' | 'cancelled';

export interface ScriptResult {
  script: string;
  /** Key of its task. */
  task: string;
  status: ScriptStatus;
  /** null when it did not end by itself. */
  exitCode: number | null;
  attempts: number;
  /** Milliseconds of the last attempt; null when there was none. */
  executionTime: number | null;
  error: Pick<TaskError, 'code' | 'message'> | null;
  log: string;
}

/** What summary.json holds, and what --json prints. Times are milliseconds. */
export interface ScriptSummary {
  runId: string;
  workflow: string;
  folder: string;
  status: RunView['status'];
  startedAt: string | null;
  finishedAt: string | null;
  elapsed: number | null;
  totals: Record<ScriptStatus, number>;
  slowest: { script: string; executionTime: number }[];
  scripts: ScriptResult[];
  /** Files that look like scripts and were not run, with the reason. */
  passedOver: readonly { path: string; reason: string }[];
  logs: string;
}

const SLOWEST = 5;

export function summarise(
  run: RunView,
  plan: ScriptPlan,
  logs: { readonly folder: string; fileOf(script: { path: string }): string },
): ScriptSummary {
  const tasks = new Map(run.tasks.map((task) => [task.key, task]));
  const scripts = plan.scripts.map((script) => resultOf(script, tasks.get(script.key), logs.fileOf(script)));
  const timed = scripts.flatMap(({ script, executionTime }) =>
    executionTime === null ? [] : [{ script, executionTime }],
  );
  return {
    runId: run.runId,
    workflow: run.workflow,
    folder: plan.folder,
    status: run.status,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    elapsed: between(run.startedAt, run.finishedAt) ?? null,
    totals: totalsOf(scripts),
    slowest: timed.sort((a, b) => b.executionTime - a.executionTime).slice(0, SLOWEST),
    scripts,
    passedOver: plan.passedOver,
    logs: logs.folder,
  };
}

function resultOf(script: { path: string; key: string }, task: TaskView | undefined, log: string): ScriptResult {
  const { path, key } = script;
  const executionTime = task?.executionTime ?? between(task?.startedAt, task?.finishedAt) ?? null;
  const error = task?.error ? { code: task.error.code, message: task.error.message } : null;
  const common = { script: path, task: key, attempts: task?.attempts ?? 0, executionTime, error, log };
  return { ...common, status: statusOf(task), exitCode: exitCodeOf(task) };
}

function statusOf(task: TaskView | undefined): ScriptStatus {
  switch (task?.status) {
    case 'completed':
    case 'skipped':
      return task.status;
    case 'failed':
      return task.error?.code === 'timeout' ? 'timeout' : 'failed';
    default:
      return 'cancelled';
  }
}

function exitCodeOf(task: TaskView | undefined): number | null {
  const said = task?.error?.details ?? task?.output;
  const code = typeof said === 'object' && said !== null && 'exitCode' in said ? said.exitCode : undefined;
  return typeof code === 'number' ? code : null;
}

function totalsOf(scripts: readonly ScriptResult[]): ScriptSummary['totals'] {
  const totals = { completed: 0, failed: 0, timeout: 0, skipped: 0, cancelled: 0 };
  for (const { status } of scripts) totals[status] += 1;
  return totals;
}

export interface RenderOptions {
  readonly colors: Colors;
  /** The last lines of a script's log, by the key of its task. */
  readonly tails: ReadonlyMap<string, readonly string[]>;
  /** As the user would write it. */
  readonly logs: string;
  readonly command: string;
}

const MOST_FAILED = 10;

/** What is said at the end: how it ended, each script that failed with its last lines, the slowest, and where the logs are. */
export function renderScripts(summary: ScriptSummary, options: RenderOptions): string {
  const failed = summary.scripts.filter(({ status }) => status === 'failed' || status === 'timeout');
  const rest = failed.length - MOST_FAILED;
  return [
    headline(summary, options.colors),
    ...failed.slice(0, MOST_FAILED).map((script) => failure(script, options)),
    rest > 0 ? options.colors.red(`… and ${rest} more`) : '',
    footer(summary, options),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

function headline({ workflow, status, elapsed, totals, scripts }: ScriptSummary, colors: Colors): string {
  const parts = Object.entries(totals).flatMap(([what, n]) => (n > 0 ? [`${n} ${what}`] : []));
  const time = elapsed === null ? '' : ` in ${duration(elapsed)}`;
  const facts = colors.dim(`(${count(scripts.length, 'script')}: ${parts.join(', ')})`);
  return `${paintState(status, colors)(`${markOf(status)} ${workflow} ${status}`)}${time} ${facts}`;
}

function failure(
  { script, task, status, attempts, executionTime, error }: ScriptResult,
  options: RenderOptions,
): string {
  const { colors, tails } = options;
  const facts = [
    ...(attempts > 1 ? [`after ${attempts} attempts`] : []),
    ...(executionTime === null ? [] : [duration(executionTime)]),
  ];
  const why = status === 'timeout' ? 'timeout' : plainText(firstLine(error?.message ?? 'failed'));
  const lines = [`${colors.red(`✖ ${script}`)}  ${why} ${colors.dim(`(${facts.join(', ')})`)}`];
  const tail = tails.get(task) ?? [];
  if (tail.length > 0) lines.push('  last lines of its log:', ...tail.map((line) => colors.dim(`    ${line}`)));
  return lines.join('\n');
}

function footer({ slowest, runId }: ScriptSummary, { colors, logs, command }: RenderOptions): string {
  const shown = slowest.map(({ script, executionTime }) => `${script} ${duration(executionTime)}`).join(', ');
  const lines = [
    ...(shown === '' ? [] : [`slowest:  ${shown}`]),
    `logs:     ${logs}`,
    `details:  ${command} runs get ${runId}`,
  ];
  return lines.map((line) => colors.dim(line)).join('\n');
}
