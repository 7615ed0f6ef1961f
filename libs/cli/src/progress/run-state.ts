import {
  EVENTS,
  isFinalTask,
  type RunEvent,
  type RunStatus,
  type RunView,
  type TaskError,
  type TaskStatus,
} from '@lattice/contracts';
import { plainText } from '../terminal';

/** The last lines of a task's log that are kept for the end. */
const TAIL = 10;

/** What the events of a run have said so far. Times are milliseconds since 1970 by the clock of the server. */
export interface RunState {
  readonly runId: string;
  readonly workflow: string;
  status: RunStatus;
  /** The first event. */
  createdAt: number | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** In the order of the document. */
  readonly tasks: Map<string, TaskState>;
}

export interface TaskState {
  readonly key: string;
  /** What it is called: its key, unless somebody knows better. */
  readonly name: string;
  status: TaskStatus;
  /** From 1; 0 before the first. */
  attempt: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  progress: { percent: number; text: string | undefined } | undefined;
  error: TaskError | undefined;
  /** Why it is queued, skipped or cancelled. */
  reason: string | undefined;
  /** When the next attempt begins. */
  retryAt: number | undefined;
  readonly tail: string[];
}

/** A state before any event. The view gives names and order only: the events say the rest, from the first one on. */
export function newRunState(
  view: Pick<RunView, 'runId' | 'workflow'> & { tasks: readonly { key: string }[] },
  names?: ReadonlyMap<string, string>,
): RunState {
  const tasks = new Map(view.tasks.map(({ key }) => [key, newTask(key, names?.get(key))]));
  const { runId, workflow } = view;
  return { runId, workflow, status: 'pending', createdAt: undefined, startedAt: undefined, endedAt: undefined, tasks };
}

function newTask(key: string, name = key): TaskState {
  return {
    key,
    name,
    status: 'pending',
    attempt: 0,
    startedAt: undefined,
    endedAt: undefined,
    progress: undefined,
    error: undefined,
    reason: undefined,
    retryAt: undefined,
    tail: [],
  };
}

/** Takes the event into the state. Events of types unknown to this version change nothing. */
export function applyEvent(state: RunState, event: RunEvent): void {
  const at = Date.parse(event.at);
  state.createdAt ??= at;
  if (event.taskKey === null) return applyToRun(state, event.type, at);
  let task = state.tasks.get(event.taskKey);
  if (task === undefined) state.tasks.set(event.taskKey, (task = newTask(event.taskKey)));
  applyToTask(task, event, at);
}

function applyToRun(state: RunState, type: string, at: number): void {
  const status = RUN_STATUS_OF[type];
  if (status === undefined) return;
  if (type === 'run.started' && state.endedAt !== undefined) state.startedAt = at;
  if (type === 'run.started') state.startedAt ??= at;
  state.status = status;
  state.endedAt = status === 'completed' || status === 'failed' || status === 'cancelled' ? at : undefined;
}

const RUN_STATUS_OF: Readonly<Record<string, RunStatus>> = {
  'run.created': 'pending',
  'run.started': 'running',
  'run.paused': 'paused',
  'run.resumed': 'running',
  'run.waiting': 'waiting',
  'run.recovered': 'running',
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

const TASK_STATUS_OF: Readonly<Record<string, TaskStatus>> = {
  'task.queued': 'queued',
  'task.started': 'running',
  'task.retrying': 'retrying',
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.skipped': 'skipped',
  'task.cancelled': 'cancelled',
};

function applyToTask(task: TaskState, event: RunEvent, at: number): void {
  const status = TASK_STATUS_OF[event.type];
  if (status !== undefined) {
    task.status = status;
    task.endedAt = isFinalTask(status) ? at : undefined;
    task.reason = textOf(event.data['reason']);
    task.retryAt = undefined;
  }
  if (event.attempt !== null) task.attempt = event.attempt;
  switch (event.type) {
    case 'task.queued':
      task.startedAt = undefined;
      break;
    case 'task.started':
      task.startedAt = at;
      task.progress = undefined;
      task.error = undefined;
      break;
    default:
      applyData(task, event, at);
  }
}

function applyData(task: TaskState, event: RunEvent, at: number): void {
  const said = dataOf(event);
  switch (said?.type) {
    case 'task.retrying':
      task.error = said.data.error;
      task.retryAt = at + said.data.delay;
      break;
    case 'task.progress':
      task.progress = { percent: said.data.percent, text: said.data.text };
      break;
    case 'task.failed':
      task.error = said.data.error;
      break;
    case 'task.log':
      task.tail.push(...linesOf(said.data.text));
      task.tail.splice(0, task.tail.length - TAIL);
      break;
    case undefined:
      break;
  }
}

type Said =
  | { type: 'task.retrying'; data: { delay: number; error: TaskError } }
  | { type: 'task.progress'; data: { percent: number; text?: string | undefined } }
  | { type: 'task.failed'; data: { error: TaskError } }
  | { type: 'task.log'; data: { stream: 'stdout' | 'stderr'; text: string } };

/** The data of the events that carry more than a state, parsed; undefined when it is none of them or has another shape. */
export function dataOf({ type, data }: RunEvent): Said | undefined {
  switch (type) {
    case 'task.retrying': {
      const parsed = EVENTS[type].safeParse(data);
      return parsed.success ? { type, data: parsed.data } : undefined;
    }
    case 'task.progress': {
      const parsed = EVENTS[type].safeParse(data);
      return parsed.success ? { type, data: parsed.data } : undefined;
    }
    case 'task.failed': {
      const parsed = EVENTS[type].safeParse(data);
      return parsed.success ? { type, data: parsed.data } : undefined;
    }
    case 'task.log': {
      const parsed = EVENTS[type].safeParse(data);
      return parsed.success ? { type, data: parsed.data } : undefined;
    }
    default:
      return undefined;
  }
}

/** The lines of a piece of log, fit for a terminal. */
export function linesOf(text: string): string[] {
  return plainText(text).replace(/\n$/, '').split('\n');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
