import { isFinalTask, TASK_STATUSES, type TaskStatus } from '@lattice/contracts';
import { cut, duration, firstLine } from '../format';
import { plainText, type Colors } from '../terminal';
import { markOf, paintState, spinner } from './marks';
import type { RunState, TaskState } from './run-state';

export interface FrameOptions {
  columns: number;
  rows: number;
  /** Milliseconds since 1970: for the spinner and for what still runs. */
  now: number;
  colors: Colors;
  /** Said at the end of the last line, for instance how to stop watching. */
  hint?: string | undefined;
}

const KEY_WIDTH = 32;
const BAR_WIDTH = 20;

/** The live table of a run: a title, a line per task, a line of totals. Never higher or wider than the terminal. */
export function renderFrame(state: RunState, options: FrameOptions): string {
  const { colors, columns } = options;
  const title = `${colors.bold(state.workflow)} ${colors.dim(cut(state.runId, columns - state.workflow.length - 2))}`;
  // Title and totals, the line of the rest, and the one that the cursor stands on.
  const { shown, rest } = choose(state, Math.max(1, options.rows - 4));
  const widths = widthsOf(shown);
  const lines = shown.map((task) => taskLine(task, widths, options));
  const hidden = rest === '' ? [] : [colors.dim(cut(`   … and ${rest}`, columns))];
  return [title, ...lines, ...hidden, totals(state, options)].join('\n');
}

/** All tasks as the document has them; if they don't fit, those that run, then those that failed, and counts of the rest. */
function choose(state: RunState, room: number): { shown: TaskState[]; rest: string } {
  const all = [...state.tasks.values()];
  if (all.length <= room + 1) return { shown: all, rest: '' };
  const running = all.filter(({ status }) => status === 'running' || status === 'retrying');
  const failed = all.filter(({ status }) => status === 'failed');
  const shown = [...running, ...failed].slice(0, room);
  const left = new Set(shown);
  return { shown, rest: counts(all.filter((task) => !left.has(task))) };
}

/** `3 running, 12 queued, 985 completed`. */
function counts(tasks: readonly TaskState[]): string {
  const found = new Map<TaskStatus, number>();
  for (const { status } of tasks) found.set(status, (found.get(status) ?? 0) + 1);
  return TASK_STATUSES.flatMap((status) => (found.has(status) ? [`${found.get(status)} ${status}`] : [])).join(', ');
}

interface Widths {
  key: number;
  state: number;
  time: number;
}

function widthsOf(tasks: readonly TaskState[]): Widths {
  const most = (lengths: number[]): number => lengths.reduce((a, b) => Math.max(a, b), 0);
  return {
    key: Math.min(KEY_WIDTH, most(tasks.map(({ key }) => key.length))),
    state: Math.max(9, most(tasks.map((task) => stateText(task).length))),
    time: 8,
  };
}

function stateText({ status, attempt }: TaskState): string {
  return attempt > 1 ? `${status} (attempt ${attempt})` : status;
}

function taskLine(task: TaskState, widths: Widths, options: FrameOptions): string {
  const { colors, columns, now } = options;
  const paint = paintState(task.status, colors);
  const mark = task.status === 'running' ? spinner(now) : markOf(task.status);
  const key = cut(task.key, widths.key).padEnd(widths.key);
  const state = stateText(task).padEnd(widths.state);
  const time = timeOf(task, now).padStart(widths.time);
  const used = 3 + widths.key + 2 + widths.state + 1 + widths.time + 2;
  const extra = extraOf(task, Math.max(0, columns - used - 1), options);
  const faint = task.status === 'pending' || task.status === 'skipped';
  return ` ${paint(mark)} ${faint ? colors.dim(key) : key}  ${paint(state)} ${colors.dim(time)}  ${extra}`.trimEnd();
}

function timeOf(task: TaskState, now: number): string {
  if (task.startedAt === undefined) return '';
  const end = task.endedAt ?? (task.status === 'running' ? now : undefined);
  return end === undefined ? '' : duration(end - task.startedAt);
}

/** What there is to say beyond the state: how far it is, why it waits, what went wrong. */
function extraOf(task: TaskState, width: number, options: FrameOptions): string {
  const { colors, now } = options;
  switch (task.status) {
    case 'running':
      return task.progress ? progressBar(task.progress, width, colors) : '';
    case 'retrying': {
      const wait = task.retryAt === undefined ? '' : `again in ${duration(task.retryAt - now)}: `;
      return colors.yellow(cut(wait + errorText(task), width));
    }
    case 'failed':
      return colors.red(cut(errorText(task), width));
    case 'queued':
    case 'skipped':
    case 'cancelled':
      return colors.dim(cut(plainText(task.reason ?? ''), width));
    case 'pending':
    case 'completed':
      return '';
  }
}

function errorText({ error }: TaskState): string {
  return error ? plainText(firstLine(error.message)) || error.code : '';
}

function progressBar(progress: NonNullable<TaskState['progress']>, width: number, colors: Colors): string {
  const percent = `${Math.round(progress.percent)} %`.padStart(5);
  const room = Math.min(BAR_WIDTH, width - percent.length - 1);
  if (room < 5) return cut(percent, width);
  const text = progress.text ? cut(plainText(firstLine(progress.text)), width - room - percent.length - 3) : '';
  return `${bar(progress.percent / 100, room, colors)} ${percent}${text === '' ? '' : `  ${colors.dim(text)}`}`;
}

function bar(share: number, width: number, colors: Colors): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return colors.cyan('━'.repeat(full)) + colors.dim('─'.repeat(width - full));
}

function totals(state: RunState, options: FrameOptions): string {
  const { colors, columns, now, hint = '' } = options;
  const tasks = [...state.tasks.values()];
  const done = tasks.filter(({ status }) => isFinalTask(status)).length;
  const from = state.startedAt ?? state.createdAt;
  const elapsed = from === undefined ? '' : duration((state.endedAt ?? now) - from);
  const turning = state.status === 'running' || state.status === 'pending';
  const mark = turning ? spinner(now) : markOf(state.status);
  const facts = `${done} of ${tasks.length} done  ${elapsed}`.trimEnd();
  const head = ` ${mark} ${state.status}  ${facts}`;
  if (head.length >= columns) return cut(head, columns - 1);
  const paint = paintState(state.status, colors);
  let line = ` ${paint(mark)} ${paint(state.status)}  ${facts}`;
  let left = columns - 1 - head.length;
  if (tasks.length > 0 && left >= BAR_WIDTH + 2) {
    line += `  ${bar(done / tasks.length, BAR_WIDTH, colors)}`;
    left -= BAR_WIDTH + 2;
  }
  return hint !== '' && left >= hint.length + 3 ? `${line}   ${colors.dim(hint)}` : line;
}
