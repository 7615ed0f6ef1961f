import { makeAgent, makeOperation } from './make-handler';
import { makeApproval, makeSignal, makeTimer } from './make-wait';
import { makeForeach, makeParallel, makeTry } from './make-blocks';
import { makeCron, makeInject, makeTransform } from './make-values';
import { makeSwitch } from './make-switch';
import type { Make } from './making';
import { hasIterator, type State } from './read-states';
import type { Spec } from './state-spec';
import type { StateKind } from './state-kinds';

const MAKES: Readonly<Record<StateKind, Make>> = {
  agent: makeAgent,
  approval: makeApproval,
  cron: makeCron,
  foreach: makeForeach,
  inject: makeInject,
  operation: makeOperation,
  parallel: makeParallel,
  signal: makeSignal,
  switch: makeSwitch,
  timer: makeTimer,
  transform: makeTransform,
  try: makeTry,
};

const ALWAYS = [
  'id',
  'name',
  'type',
  'description',
  'transition',
  'next',
  'end',
  'output',
  'resultPath',
  'outputPath',
  'approval_title',
];
/** Fields that a state of a kind is made of; others are kept as metadata. */
const FIELDS: Readonly<Record<StateKind, readonly (keyof Spec)[]>> = {
  agent: ['agent', 'operation', 'task', 'agentTask', 'prompt', 'input', 'inputPath', 'retry', 'timeout'],
  operation: ['operation', 'task', 'agentTask', 'prompt', 'input', 'inputPath', 'retry', 'timeout'],
  approval: ['operation', 'message', 'prompt', 'input', 'timeout', 'approvers'],
  cron: ['cron', 'timezone', 'enabled', 'input'],
  foreach: ['itemsPath', 'itemName', 'itemVariable', 'maxConcurrency', 'iterator', 'timeout', 'outputAggregation'],
  inject: ['data'],
  parallel: ['branches', 'join', 'outputAggregation'],
  signal: ['timeout'],
  switch: ['conditions', 'defaultNext', 'dataPath'],
  timer: ['duration'],
  transform: ['expression'],
  try: ['try', 'catch', 'finally'],
};

/** Fields of a foreach that are of its agent, where it has no iterator. */
const OF_EACH: readonly (keyof Spec)[] = ['agent', 'task', 'agentTask', 'prompt', 'retry'];

function fieldsOf({ kind, spec }: State): readonly string[] {
  return [...ALWAYS, ...FIELDS[kind], ...(kind === 'foreach' && !hasIterator(spec) ? OF_EACH : [])];
}

/** Makes the tasks of a state; gives those that come first. */
export const makeState: Make = (making, node, needs) => {
  const { kind, spec, id } = node.state;
  const first = MAKES[kind](making, node, needs);
  const used = new Set(fieldsOf(node.state));
  const kept = Object.entries(spec).filter(
    ([name, value]) => !used.has(name) && value !== undefined && value !== null && value !== '',
  );
  if (kept.length > 0) {
    making.notes.push(`State "${id}": kept as metadata, without effect: ${kept.map(([name]) => name).join(', ')}.`);
    const task = node.graph.scope.tasks.get(node.key);
    if (task !== undefined)
      node.graph.scope.add(node.key, { ...task, metadata: { ...metadataOf(task), ...Object.fromEntries(kept) } });
  }
  return first;
};

function metadataOf({ metadata }: Record<string, unknown>): object {
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}
