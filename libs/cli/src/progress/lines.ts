import type { RunEvent } from '@lattice/contracts';
import { duration, firstLine } from '../format';
import { plainText, type Colors } from '../terminal';
import { paintState } from './marks';
import { dataOf, linesOf, type RunState } from './run-state';

/**
 * An event as lines of text, for where nothing can be redrawn: `+0.123s task.completed greet (45 ms)`. The state must have taken the
 * event already. The time counts from the first event of the run, by the clock of the server.
 */
export function renderEvent(event: RunEvent, state: RunState, colors: Colors): string[] {
  const seconds = ((Date.parse(event.at) - (state.createdAt ?? Date.parse(event.at))) / 1_000).toFixed(3);
  const time = colors.dim(`+${seconds}s`);
  const text = event.taskKey === null ? runText(event, state) : taskText(event, event.taskKey, state);
  return [`${time} ${paintType(event.type, colors)} ${text}`.trimEnd()];
}

/** A piece of a task's log: dim, each line with the name of the task before it. */
export function renderLog(name: string, text: string, colors: Colors): string[] {
  return linesOf(text).map((line) => colors.dim(`${name} │ ${line}`));
}

function runText(event: RunEvent, state: RunState): string {
  switch (event.type) {
    case 'run.created':
      return `${state.workflow} ${state.runId}`;
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
      return `${state.workflow}${inBrackets(state.startedAt ?? state.createdAt, state.endedAt)}${saying(event)}`;
    default:
      return saying(event).replace(/^: /, '');
  }
}

function taskText(event: RunEvent, key: string, state: RunState): string {
  const task = state.tasks.get(key);
  const name = task?.name ?? key;
  const attempt = event.attempt !== null && event.attempt > 1 ? ` attempt ${event.attempt}` : '';
  const took = inBrackets(task?.startedAt, task?.endedAt);
  const said = dataOf(event);
  switch (said?.type) {
    case 'task.retrying':
      return `${name}${attempt} again in ${duration(said.data.delay)}: ${said.data.error.code}: ${first(said.data.error.message)}`;
    case 'task.failed':
      return `${name}${attempt}${took} ${said.data.error.code}: ${first(said.data.error.message)}`;
    case 'task.progress':
      return `${name} ${Math.round(said.data.percent)} %${said.data.text ? ` ${first(said.data.text)}` : ''}`;
    case 'task.log':
    case undefined:
      return `${name}${attempt}${took}${saying(event)}`;
  }
}

/** The reason, worker or error that the event names, if any. */
function saying({ data }: RunEvent): string {
  const { reason, workerId, error } = data;
  if (typeof reason === 'string') return `: ${first(reason)}`;
  if (typeof workerId === 'string') return ` on ${workerId}`;
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') {
    return `: ${first(error.message)}`;
  }
  return '';
}

function inBrackets(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined ? '' : ` (${duration(to - from)})`;
}

function first(text: string): string {
  return plainText(firstLine(text));
}

function paintType(type: string, colors: Colors): string {
  const word = type.split('.')[1];
  switch (word) {
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'retrying':
    case 'paused':
      return paintState(word, colors)(type);
    case 'started':
      return colors.cyan(type);
    default:
      return type;
  }
}
