import { isFinalRun, isFinalTask, type TaskStatus } from '@lattice/contracts';
import { duration, firstLine } from '../format';
import { plainText, type Colors } from '../terminal';
import { cut, padEnd, padStart, widthOf } from '../text-width';
import { groupsOf, type Group } from './groups';
import { markOf, paintState, spinner } from './marks';
import type { RunState, TaskState } from './run-state';

export interface FrameOptions {
  columns: number;
  rows: number;
  /** Milliseconds since 1970: for the spinner and for what still runs. */
  now: number;
  colors: Colors;
  /** Said at the end of the line of totals, for instance how to stop watching. */
  hint?: string | undefined;
}

/** So many tasks have a line each; more are shown by groups. */
const FEW = 16;
/** Of many tasks so many are shown by themselves: those that failed, are tried again or run longest. */
const NOTABLE = 8;
const NAME_WIDTH = 32;
const STATE_WIDTH = 9;
const TIME_WIDTH = 8;
const BAR_WIDTH = 20;
/** Below this a line has no room for the word of the state; its mark tells it. */
const NARROW = 72;

/**
 * What is shown of a run: a title, a line per task, a line of totals; of many tasks a line per group of alike names, the totals, and what is
 * worth a look. Never higher or wider than the terminal.
 */
export function renderFrame(state: RunState, options: FrameOptions): string[] {
  const { colors, columns } = options;
  const workflow = cut(state.workflow, columns - 1);
  const title = `${colors.bold(workflow)} ${colors.dim(cut(state.runId, columns - widthOf(workflow) - 2))}`.trimEnd();
  // Title, totals, and the line that the cursor stands on.
  const room = options.rows - 3;
  const tasks = [...state.tasks.values()];
  if (tasks.length <= Math.min(FEW, room)) {
    const widths = widthsOf(tasks, options);
    return [title, ...tasks.map((task) => taskLine(task, widths, options)), totals(state, options)];
  }
  const groups = groupsOf(tasks, Math.max(0, room - Math.min(NOTABLE, room / 2)));
  const widest = (texts: string[]): number => Math.max(0, ...texts.map(widthOf));
  const widths = {
    name: Math.min(NAME_WIDTH, widest(groups.map(({ name }) => name))),
    count: widest(groups.map((group) => String(group.tasks.length))),
  };
  const over = [title, ...groups.map((group) => groupLine(group, widths, options)), totals(state, options)];
  // At the end the summary says what went wrong.
  if (isFinalRun(state.status)) return over;
  return [...over, ...notable(tasks, Math.min(NOTABLE, room - groups.length), options)];
}

/** How much there is to tell of a task among many. */
function weight({ status }: TaskState): number {
  switch (status) {
    case 'failed':
      return 2;
    case 'retrying':
      return 1;
    case 'running':
      return 0;
    case 'pending':
    case 'queued':
    case 'completed':
    case 'skipped':
    case 'cancelled':
      return -1;
  }
}

/** What failed, is tried again or runs, with a line for the rest of them; half of the room is left to what runs longest. */
function notable(tasks: readonly TaskState[], room: number, options: FrameOptions): string[] {
  if (room < 1) return [];
  const wrong = tasks.filter((task) => weight(task) > 0).sort((a, b) => weight(b) - weight(a));
  const running = tasks.filter((task) => weight(task) === 0);
  running.sort((a, b) => (a.startedAt ?? Infinity) - (b.startedAt ?? Infinity));
  const lines = wrong.length + running.length > room ? room - 1 : room;
  const forRunning = Math.min(running.length, Math.max(lines - wrong.length, Math.floor(lines / 2)));
  const shown = [...wrong.slice(0, lines - forRunning), ...running.slice(0, forRunning)];
  const rest = [...wrong, ...running].filter((task) => !shown.includes(task));
  const widths = widthsOf(shown, options);
  const more = rest.length === 0 ? [] : [options.colors.dim(cut(`   … and ${counts(rest)}`, options.columns - 1))];
  return [...shown.map((task) => taskLine(task, widths, options)), ...more];
}

const COUNTED: readonly TaskStatus[] = ['failed', 'retrying', 'running', 'queued', 'skipped', 'cancelled'];

/** `1 failed, 3 running, 12 queued`: all but what is done or has not begun. */
function counts(tasks: readonly TaskState[]): string {
  const found = new Map<TaskStatus, number>();
  for (const { status } of tasks) found.set(status, (found.get(status) ?? 0) + 1);
  return COUNTED.flatMap((status) => (found.has(status) ? [`${found.get(status)} ${status}`] : [])).join(', ');
}

function groupLine(
  { name, tasks }: Group<TaskState>,
  widths: { name: number; count: number },
  options: FrameOptions,
): string {
  const { colors, columns } = options;
  const done = tasks.filter(({ status }) => isFinalTask(status)).length;
  const failed = tasks.filter(({ status }) => status === 'failed').length;
  const mark = groupMark(tasks, done, failed, options);
  const facts = `${padStart(String(done), widths.count)} of ${padEnd(String(tasks.length), widths.count)}`;
  const nameWidth = Math.max(1, Math.min(widths.name, columns - facts.length - 6));
  const barWidth = Math.min(BAR_WIDTH, columns - nameWidth - facts.length - 9);
  const drawn = barWidth < 5 ? '' : `${bar([done - failed, failed], tasks.length, barWidth, colors)}  `;
  const used = 3 + nameWidth + 2 + (drawn === '' ? 0 : barWidth + 2) + facts.length + 2;
  const states = cut(counts(tasks), Math.max(0, columns - used - 1));
  const named = padEnd(cut(name, nameWidth), nameWidth);
  return ` ${mark} ${done === 0 ? colors.dim(named) : named}  ${drawn}${facts}  ${painted(colors.dim, states)}`.trimEnd();
}

function groupMark(tasks: readonly TaskState[], done: number, failed: number, { colors, now }: FrameOptions): string {
  if (done === tasks.length) return failed > 0 ? colors.red(markOf('failed')) : colors.green(markOf('completed'));
  const active = tasks.some(({ status }) => status === 'running' || status === 'retrying');
  if (active) return colors.cyan(spinner(now));
  return done > 0 ? colors.dim(markOf('queued')) : colors.dim(markOf('pending'));
}

interface Widths {
  name: number;
  /** 0: the word of the state is left out. */
  state: number;
}

function widthsOf(tasks: readonly TaskState[], { columns }: FrameOptions): Widths {
  const longest = tasks.reduce((most, { name }) => Math.max(most, widthOf(name)), 0);
  if (columns >= NARROW) return { name: Math.min(NAME_WIDTH, longest), state: STATE_WIDTH };
  return { name: Math.max(1, Math.min(longest, columns - 3 - 1 - TIME_WIDTH - 1)), state: 0 };
}

function taskLine(task: TaskState, widths: Widths, options: FrameOptions): string {
  const { colors, columns, now } = options;
  const paint = paintState(task.status, colors);
  const mark = task.status === 'running' ? spinner(now) : markOf(task.status);
  const name = padEnd(cut(task.name, widths.name), widths.name);
  const state = widths.state === 0 ? '' : `  ${paint(task.status.padEnd(widths.state))}`;
  const time = timeOf(task, now).padStart(TIME_WIDTH);
  const used = 3 + widths.name + (widths.state === 0 ? 0 : widths.state + 2) + 1 + TIME_WIDTH + 2;
  const extra = extraOf(task, Math.max(0, columns - used - 1), options);
  const faint = task.status === 'pending' || task.status === 'skipped';
  return ` ${paint(mark)} ${faint ? colors.dim(name) : name}${state} ${colors.dim(time)}  ${extra}`.trimEnd();
}

function timeOf(task: TaskState, now: number): string {
  if (task.startedAt === undefined) return '';
  const end = task.endedAt ?? (task.status === 'running' ? now : undefined);
  return end === undefined ? '' : duration(end - task.startedAt);
}

/** What there is to say beyond the state: how far it is, which try it is, why it waits, what went wrong. */
function extraOf(task: TaskState, width: number, options: FrameOptions): string {
  const { colors } = options;
  const again = task.attempt > 1 ? `attempt ${task.attempt}` : '';
  switch (task.status) {
    case 'running':
      if (task.progress) return progressBar(task.progress, again, width, colors);
      return painted(colors.dim, cut(again, width));
    case 'retrying':
      return painted(colors.yellow, cut(`${retryText(task, options.now)}: ${errorText(task)}`, width));
    case 'failed':
      return painted(colors.red, cut([again, errorText(task)].filter((part) => part !== '').join(': '), width));
    case 'queued':
    case 'skipped':
    case 'cancelled':
      return painted(colors.dim, cut(plainText(task.reason ?? ''), width));
    case 'pending':
      return '';
    case 'completed':
      return painted(colors.dim, cut(again, width));
  }
}

/** Nothing stays nothing: a colour around it would keep the spaces before it at the end of a line, and make that too wide. */
function painted(paint: (text: string) => string, text: string): string {
  return text === '' ? '' : paint(text);
}

function retryText({ retryAt = 0 }: TaskState, now: number): string {
  return retryAt > now ? `again in ${duration(retryAt - now)}` : 'waits for its turn';
}

function errorText({ error }: TaskState): string {
  return error ? plainText(firstLine(error.message)) || error.code : '';
}

function progressBar(
  progress: NonNullable<TaskState['progress']>,
  again: string,
  width: number,
  colors: Colors,
): string {
  const percent = `${Math.round(progress.percent)} %`.padStart(5);
  const room = Math.min(BAR_WIDTH, width - percent.length - 1);
  if (room < 5) return cut(percent, width);
  const said = [progress.text ? plainText(firstLine(progress.text)) : '', again].filter((part) => part !== '');
  const text = cut(said.join(', '), Math.max(0, width - room - percent.length - 3));
  return `${bar([progress.percent], 100, room, colors)} ${percent}${text === '' ? '' : `  ${colors.dim(text)}`}`;
}

/** Of `whole` so much is done, and so much has failed. Nothing but all fills it, and a failure is never too small to be seen. */
function bar([done = 0, failed = 0]: readonly number[], whole: number, width: number, colors: Colors): string {
  const share = whole === 0 ? 0 : Math.min(1, Math.max(0, (done + failed) / whole));
  const full = share === 1 ? width : Math.min(width - 1, Math.round(share * width));
  const red = failed === 0 ? 0 : Math.min(full, Math.max(1, Math.round((failed / whole) * width)));
  return [
    painted(colors.cyan, '━'.repeat(full - red)),
    painted(colors.red, '━'.repeat(red)),
    painted(colors.dim, '─'.repeat(width - full)),
  ].join('');
}

function totals(state: RunState, options: FrameOptions): string {
  const { colors, columns, now, hint = '' } = options;
  const tasks = [...state.tasks.values()];
  const done = tasks.filter(({ status }) => isFinalTask(status)).length;
  const failed = tasks.filter(({ status }) => status === 'failed').length;
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
    line += `  ${bar([done - failed, failed], tasks.length, BAR_WIDTH, colors)}`;
    left -= BAR_WIDTH + 2;
  }
  return hint !== '' && left >= hint.length + 3 ? `${line}   ${colors.dim(hint)}` : line;
}
