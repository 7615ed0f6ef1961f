import { LatticeError } from '@lattice/contracts';
import type { Program } from './language';

/** What an expression refers to. */
export interface References {
  /** Keys of tasks. */
  readonly tasks: ReadonlySet<string>;
  /** Names of inputs. */
  readonly inputs: ReadonlySet<string>;
  /** True when `inputs` itself is taken as a value. */
  readonly allInputs: boolean;
  /** Tasks whose `status` is asked for: an `if` that does so decides about skipped dependencies itself. */
  readonly statusOf: ReadonlySet<string>;
  /** True when `each` is used: what a map or loop tells its body of the round. */
  readonly each: boolean;
  /** Names of secrets. */
  readonly secrets: ReadonlySet<string>;
}

/** Most templates refer to nothing: a graph of 10,000 tasks would have as many sets of nothing, several times. */
const NOTHING: References = {
  tasks: new Set(),
  inputs: new Set(),
  allInputs: false,
  statusOf: new Set(),
  each: false,
  secrets: new Set(),
};

/** All that several parts of a document refer to. */
export function mergeReferences(all: readonly References[]): References {
  const some = all.filter((references) => references !== NOTHING);
  const [only] = some;
  if (only === undefined) return NOTHING;
  if (some.length === 1) return only;
  return {
    tasks: union(some, ({ tasks }) => tasks),
    inputs: union(some, ({ inputs }) => inputs),
    allInputs: some.some(({ allInputs }) => allInputs),
    statusOf: union(some, ({ statusOf }) => statusOf),
    each: some.some(({ each }) => each),
    secrets: union(some, ({ secrets }) => secrets),
  };
}

function union(all: readonly References[], of: (references: References) => ReadonlySet<string>): ReadonlySet<string> {
  return new Set(all.flatMap((references) => [...of(references)]));
}

/** What expressions may read of a task. */
const FIELDS_OF_TASK: readonly unknown[] = ['status', 'output', 'error', 'artifacts'];

const ROOTS = ['inputs', 'tasks', 'run', 'each', 'secrets'] as const;

/** A path without computation: `root.step[0].step`. */
export interface Path {
  readonly root: (typeof ROOTS)[number];
  readonly steps: readonly (string | number)[];
}

interface Node {
  readonly op: string;
  readonly args: unknown;
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'op' in value && 'args' in value && typeof value.op === 'string'
  );
}

function isRoot(name: string): name is Path['root'] {
  return ROOTS.some((root) => root === name);
}

/** The path that the node is; undefined when it computes something. */
export function pathOf(node: unknown): Path | undefined {
  if (!isNode(node)) return undefined;
  if (node.op === 'id') {
    return typeof node.args === 'string' && isRoot(node.args) ? { root: node.args, steps: [] } : undefined;
  }
  if ((node.op !== '.' && node.op !== '[]') || !Array.isArray(node.args)) return undefined;
  const parts: unknown[] = node.args;
  const [base, step] = parts;
  const path = pathOf(base);
  const name = stepOf(step);
  return path === undefined || name === undefined ? undefined : { root: path.root, steps: [...path.steps, name] };
}

function stepOf(step: unknown): string | number | undefined {
  if (typeof step === 'string') return step;
  if (!isNode(step) || step.op !== 'value') return undefined;
  if (typeof step.args === 'string') return step.args;
  return typeof step.args === 'bigint' && step.args >= 0n && step.args < 2n ** 31n ? Number(step.args) : undefined;
}

/**
 * Collects what a program refers to. Throws `unreachable_reference` where a task is not named literally or has no such field, `secret_misplaced` where a
 * secret is not.
 */
export function referencesOf(program: Program): References {
  const found = {
    tasks: new Set<string>(),
    inputs: new Set<string>(),
    statusOf: new Set<string>(),
    allInputs: false,
    each: false,
    secrets: new Set<string>(),
  };
  visit(program.ast, found);
  return found;
}

function nameOfSecret({ steps: [name, ...more] }: Path): string {
  if (typeof name === 'string' && more.length === 0) return name;
  throw new LatticeError('secret_misplaced', 'name one secret: secrets.NAME');
}

interface Found {
  tasks: Set<string>;
  inputs: Set<string>;
  statusOf: Set<string>;
  allInputs: boolean;
  each: boolean;
  secrets: Set<string>;
}

function visit(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const inner of value) visit(inner, found);
    return;
  }
  if (!isNode(value)) return;
  const path = pathOf(value);
  if (path === undefined) {
    visit(value.args, found);
    return;
  }
  const [first, second] = path.steps;
  if (path.root === 'tasks') {
    if (typeof first !== 'string') {
      throw new LatticeError(
        'unreachable_reference',
        'name the task literally: tasks.KEY.output (the dependencies are found from it)',
      );
    }
    found.tasks.add(first);
    if (second !== undefined && !FIELDS_OF_TASK.includes(second)) {
      throw new LatticeError(
        'unreachable_reference',
        `there is no tasks.${first}.${second}: a task has ${FIELDS_OF_TASK.join(', ')}`,
      );
    }
    if (second === 'status') found.statusOf.add(first);
  }
  if (path.root === 'each') found.each = true;
  if (path.root === 'secrets') found.secrets.add(nameOfSecret(path));
  if (path.root !== 'inputs') return;
  if (typeof first === 'string') found.inputs.add(first);
  else found.allInputs = true;
}
