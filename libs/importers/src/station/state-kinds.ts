/** What a state does; many types of states do the same. */
export type StateKind =
  | 'agent'
  | 'approval'
  | 'cron'
  | 'foreach'
  | 'inject'
  | 'operation'
  | 'parallel'
  | 'signal'
  | 'switch'
  | 'timer'
  | 'transform'
  | 'try';

const KINDS: Readonly<Record<string, StateKind>> = {
  agent: 'agent',
  human_approval: 'approval',
  'human.approval': 'approval',
  switch: 'switch',
  foreach: 'foreach',
  for: 'foreach',
  parallel: 'parallel',
  sleep: 'timer',
  delay: 'timer',
  timer: 'timer',
  await: 'signal',
  'await.signal': 'signal',
  'await.event': 'signal',
  try: 'try',
  trycatch: 'try',
  transform: 'transform',
  inject: 'inject',
  set: 'inject',
  context: 'inject',
  cron: 'cron',
  schedule: 'cron',
};
/** What an operation may name as its task. */
const TASKS: Readonly<Record<string, StateKind>> = {
  'agent.run': 'agent',
  'agent.hierarchy.run': 'agent',
  'human.approval': 'approval',
};

/** Types that are not known are operations: there, they do nothing. */
export function kindOf({
  type,
  input,
  agent,
  operation,
}: {
  type: string;
  input?: object | null | undefined;
  agent?: string | null | undefined;
  operation?: string | null | undefined;
}): StateKind {
  const known = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  const task = operation || textOf(input, 'task');
  const named = Object.hasOwn(TASKS, task) ? TASKS[task] : undefined;
  if (known !== undefined) return known === 'signal' && named === 'approval' ? 'approval' : known;
  if (named !== undefined) return named;
  return agent || textOf(input, 'agent') !== '' ? 'agent' : 'operation';
}

/** Whether Station knows the type by name. */
export function isKnownType(type: string): boolean {
  return Object.hasOwn(KINDS, type) || ['operation', 'action', 'function'].includes(type);
}

function textOf(input: object | null | undefined, name: string): string {
  const value: unknown = input === null || input === undefined ? undefined : Reflect.get(input, name);
  return typeof value === 'string' ? value : '';
}
