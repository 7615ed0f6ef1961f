import { USES_PATTERN } from '@lattice/contracts';
import { whole } from './graph';
import { durationOf } from './go-duration';
import { described, expressed, finish, needing, type Make, type Making } from './making';
import type { Node } from './graph';
import type { Spec } from './state-spec';
import { isKnownType } from './state-kinds';
import { namesAt } from './names';
import { celOfPath } from './values';

/** What an input says of the agent itself. */
const ABOUT = new Set(['task', 'agent', 'agent_id', 'agent_task', 'userInput']);
const RUNS = new Set(['agent.run', 'agent.hierarchy.run', 'custom.run']);
/** What Station calls the answer of an agent is here the output of the handler. */
const ANSWER = ['result', 'response', 'output'];

/** An agent is the handler `agent.NAME`. */
export const makeAgent: Make = (making, node, needs) => {
  const { spec } = node.state;
  const agent = spec.agent || spec.input?.['agent'] || spec.input?.['agent_id'];
  return makeHandler(making, node, {
    needs,
    name: `agent.${typeof agent === 'number' ? agent : nameOr(agent, 'unnamed')}`,
  });
};

function nameOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other;
}

/** Any other operation is the handler `operation.TASK`. */
export const makeOperation: Make = (making, node, needs) => {
  const { spec, id } = node.state;
  const task = spec.operation || spec.input?.['task'];
  const isName = typeof task === 'string' && /^[A-Za-z0-9._-]{1,80}$/.test(task) && !RUNS.has(task);
  if (!isKnownType(spec.type))
    making.notes.push(
      `State "${id}" is of the type "${spec.type.slice(0, 100)}", which Station passes over; here it uses a handler.`,
    );
  return makeHandler(making, node, { needs, name: `operation.${isName ? task : id}` });
};

function makeHandler(
  making: Making,
  node: Node,
  { needs, name }: { needs: readonly string[]; name: string },
): string[] {
  const { spec } = node.state;
  const uses = handlerOf(name);
  making.handlers.add(uses.slice('handler/'.length));
  const timeout = spec.timeout ? durationOf(spec.timeout) : undefined;
  const retry = retryOf(making, node);
  node.graph.scope.add(node.key, {
    uses,
    ...described(node),
    ...needing(needs),
    with: inputOf(making, node),
    ...(timeout === undefined ? {} : { timeout }),
    ...(retry === undefined ? {} : { retry }),
  });
  finish(node, whole(`tasks.${node.key}.output`, ANSWER));
  return [node.key];
}

/** `handler/NAME`, in the letters that names of handlers have. */
export function handlerOf(name: string): string {
  const legal = name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100);
  const uses = `handler/${legal}`;
  return USES_PATTERN.test(uses) ? uses : 'handler/agent.unnamed';
}

/** The task of the agent and the input of the state; without one, what `inputPath` names or the state before gave. */
function inputOf(making: Making, node: Node): Record<string, unknown> {
  const { spec, kind } = node.state;
  const input = Object.fromEntries(
    Object.entries(spec.input ?? {}).filter(([name]) => kind !== 'agent' || !ABOUT.has(name)),
  );
  const task = taskOf(spec);
  const given = expressed(making, node, { ...(task === undefined ? {} : { task }), ...input });
  const body: Record<string, unknown> = { ...(typeof given === 'object' ? given : {}) };
  if (spec.inputPath && spec.inputPath !== '$') {
    const cel = celOfPath(spec.inputPath, namesAt({ context: making.context, node }));
    if (cel !== undefined) return { ...body, input: `\${{ ${cel} }}` };
    making.notes.push(`State "${node.state.id}": nothing is at its inputPath ${spec.inputPath.slice(0, 100)}.`);
  }
  if (Object.keys(input).length > 0) return body;
  const previous = making.context.previous(node);
  return previous === undefined ? body : { ...body, previous: `\${{ ${previous} }}` };
}

function taskOf({ task, agentTask, prompt, input }: Spec): unknown {
  const inner = input?.['task'];
  return (
    task ||
    agentTask ||
    prompt ||
    (typeof inner === 'string' && RUNS.has(inner) ? undefined : inner) ||
    input?.['agent_task'] ||
    input?.['userInput'] ||
    undefined
  );
}

const CODES: Readonly<Record<string, string>> = {
  timeout: 'timeout',
  agent_error: 'task_failed',
  error: 'task_failed',
  failed: 'task_failed',
};

function retryOf({ notes }: Making, { state: { spec, id } }: Node): unknown {
  const { retry } = spec;
  if (!retry || (retry.max_attempts ?? 3) < 2) return undefined;
  const { max_attempts, backoff, retry_on } = retry;
  const delay = backoff ? durationOf(backoff) : undefined;
  const grows = backoff === 'exponential' || !backoff;
  if (backoff && delay === undefined && !['exponential', 'fixed', 'constant'].includes(backoff))
    notes.push(`State "${id}": the backoff "${backoff.slice(0, 100)}" is not known; the delay stays the same.`);
  const codes = (retry_on ?? []).map((code) => (Object.hasOwn(CODES, code) ? CODES[code] : code));
  const unknown = (retry_on ?? []).filter((code) => !Object.hasOwn(CODES, code));
  if (unknown.length > 0)
    notes.push(
      `State "${id}" is tried again on ${unknown.join(', ').slice(0, 200)}: its handler has to fail with such codes.`,
    );
  return {
    maxAttempts: max_attempts ?? 3,
    ...(grows ? {} : { factor: 1 }),
    ...(delay === undefined ? {} : { initialDelay: delay }),
    ...(codes.length === 0 ? {} : { retryOn: codes }),
  };
}
