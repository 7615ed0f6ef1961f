import { stepTo, templateOf, type Piece } from '../cel-text';
import { toCel } from '../python-expression';
import type { NameOf } from '../python-names';
import { longestAt, type DottedNames } from './dotted-names';

/** What `{{...}}` in a file may name, and what it is here. */
export interface Names {
  /** Step name -> task key. */
  readonly keys: ReadonlyMap<string, string>;
  /** Names of steps that hold dots. */
  readonly dotted: DottedNames;
  /** Names that are no steps: they become inputs of the workflow. */
  readonly inputs: Set<string>;
  /** Texts that were left as they are. */
  readonly unread: Set<string>;
  /** Steps that another names in a reference, by the one that names them. */
  readonly referred: Map<string, Set<string>>;
}

const INPUTS = new Set(['inputs', 'input', 'params', 'parameters', 'workflow']);
const OUTPUTS = new Set(['output', 'result', 'outputs', 'results']);
/** Whatever stands between the brackets is trimmed later: a pattern that does so itself takes cubic time for many spaces. */
const REFERENCE = /\{\{([^{}]*)\}\}/g;
/** A text that is one reference, with its quotes. */
const QUOTED_REFERENCE = /(["'])\{\{([^{}"']*)\}\}\1/g;
/** Stands for a reference while a condition is read. */
const MARK = 'reference_between_brackets_';
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `step.output.a`, `inputs.a`, `a` as paths of expressions. `from` is the step that names them. */
function nameOf(names: Names, from: string): NameOf {
  const { keys, inputs } = names;
  return ([first = '', second]) => {
    const key = keys.get(first);
    if (key !== undefined) {
      refer(names, from, first);
      return { cel: `tasks.${key}.output`, used: second !== undefined && OUTPUTS.has(second) ? 2 : 1 };
    }
    const [name, used] = INPUTS.has(first) && second !== undefined ? [second, 2] : [first, 1];
    if (!IDENTIFIER.test(name)) return undefined;
    inputs.add(name);
    return { cel: `inputs${stepTo(name)}`, used };
  };
}

/** What a condition is here: in CEL, or undefined when it can't be said; and the steps that it names between brackets. */
export interface Condition {
  readonly cel: string | undefined;
  readonly steps: ReadonlySet<string>;
}

/**
 * A condition in CEL. What stands between brackets may name steps that have spaces in their names; in quotes it is the text of the value.
 * Nothing is noted in `names` when the condition can't be said.
 */
export function conditionOf(text: string, names: Names, from: string): Condition {
  const draft: Names = { ...names, inputs: new Set(), referred: new Map() };
  const marked: string[] = [];
  const mark = (found: string, path: string, toText: boolean): string => {
    const cel = reference(path.trim(), draft, from);
    if (cel === undefined) return found;
    marked.push(toText ? `string(${cel})` : cel);
    return ` ${MARK}${marked.length - 1} `;
  };
  const plain = text
    .replaceAll(QUOTED_REFERENCE, (found, _, path: string) => mark(found, path, true))
    .replaceAll(REFERENCE, (found, path: string) => mark(found, path, false));
  const steps = new Set(draft.referred.get(from));
  const nameOfMarked: NameOf = (path) => {
    const [first = ''] = path;
    const cel = first.startsWith(MARK) ? marked[Number(first.slice(MARK.length))] : undefined;
    return cel === undefined ? nameOf(draft, from)(path) : { cel, used: 1 };
  };
  const cel = text.includes(MARK) ? undefined : toCel(plain, nameOfMarked);
  // A reference among other words in quotes is a text put together there.
  if (cel === undefined || cel.includes(MARK)) return { cel: undefined, steps };
  for (const input of draft.inputs) names.inputs.add(input);
  for (const other of draft.referred.get(from) ?? []) refer(names, from, other);
  return { cel, steps };
}

function refer({ referred }: Names, from: string, other: string): void {
  referred.set(from, (referred.get(from) ?? new Set()).add(other));
}

/** A value of `parameters` with its references as expressions. A text that is one reference keeps the type of what it names. */
export function withReferences(value: unknown, names: Names, from: string): unknown {
  if (typeof value === 'string') return text(value, names, from);
  if (Array.isArray(value)) return value.map((item) => withReferences(item, names, from));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withReferences(member, names, from)]));
}

function text(whole: string, names: Names, from: string): string {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of whole.matchAll(REFERENCE)) {
    const [found, path = ''] = match;
    pieces.push({ text: whole.slice(end, match.index) });
    end = match.index + found.length;
    const cel = reference(path.trim(), names, from);
    if (cel === undefined) names.unread.add(found);
    pieces.push(cel === undefined ? { text: found } : { cel });
  }
  return templateOf([...pieces, { text: whole.slice(end) }]);
}

function reference(path: string, names: Names, from: string): string | undefined {
  const parts = path.split('.').map((part) => part.trim());
  if (parts.some((part) => part === '' || /[^A-Za-z0-9_ -]/.test(part))) return undefined;
  // The name of a step may hold dots itself.
  const whole = longestAt(names.dotted, path);
  const fields =
    whole === undefined
      ? parts
      : [
          whole,
          ...path
            .slice(whole.length)
            .split('.')
            .filter((part) => part !== ''),
        ];
  const found = nameOf(names, from)(fields);
  return found === undefined ? undefined : found.cel + fields.slice(found.used).map(stepTo).join('');
}
