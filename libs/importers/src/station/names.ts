import type { NameOf, Named } from '../python-names';
import { IDENTIFIER, isPath, stepTo } from '../cel-text';
import type { Context } from './context';
import { fieldsOf, type Node } from './graph';
import { inputKey } from './inputs';

/** How the names in a text of a state are meant. */
export interface Reading {
  readonly context: Context;
  readonly node: Node;
  /** `input` is what the state before gave, unless the workflow has such an input. */
  readonly inputIsPrevious?: boolean;
}

/** Names of the context at a state. */
export function namesAt({ context, node, inputIsPrevious = false }: Reading): NameOf {
  const nameOf: NameOf = (path) => {
    const [first = '', second, third] = path;
    const written = context.before(node, path);
    if (written !== undefined) return written;
    if (first === 'ctx') return second === undefined ? undefined : later(nameOf(path.slice(1)), 1);
    if (first === 'workflow') {
      if (second !== 'input') return undefined;
      return third === undefined ? { cel: 'inputs', used: 2 } : later(context.input(path.slice(2)), 2);
    }
    if (first === 'steps') return undefined;
    if (first !== 'input') return context.input(path);
    const previous = inputIsPrevious ? context.previous(node) : undefined;
    if (second === undefined) return { cel: previous ?? 'inputs', used: 1 };
    if (context.inputs.declared.has(second)) return later(context.input(path.slice(1)), 1);
    const below = context.before(node, path.slice(1));
    if (below !== undefined) return later(below, 1);
    return previous === undefined ? later(context.input(path.slice(1)), 1) : { cel: previous, used: 1 };
  };
  return nameOf;
}

/** Names in the conditions of a switch that looks at a value: the value itself, what is in it, and the context around. */
export function namesOfSwitch(reading: Reading, dataPath: readonly string[]): NameOf {
  const around = namesAt(reading);
  const value = around(dataPath);
  if (value === undefined) return around;
  const looked = fieldsOf(value, dataPath);
  const [root] = dataPath;
  const last = dataPath.at(-1);
  return (path) => {
    const [first = ''] = path;
    if (first === '_value' || first === 'result' || first === 'val') return { cel: looked, used: 1 };
    if (['ctx', 'steps', 'input', 'workflow', root].includes(first)) return around(path);
    const found = reading.context.before(reading.node, path);
    if (found === undefined) {
      if (first === last) return { cel: looked, used: 1 };
      return reading.context.inputs.declared.has(first)
        ? fieldOr(looked, [first], `inputs.${inputKey(first)}`)
        : { cel: looked, used: 0 };
    }
    const names = path.slice(0, Math.max(1, found.used));
    return { ...found, ...fieldOr(looked, names, fieldsOf(found, names)) };
  };
}

/** A field of the value that is looked at hides what is around. */
function fieldOr(looked: string, [first = '', ...fields]: readonly string[], other: string): Named {
  const used = fields.length + 1;
  if (!isPath(looked) || !IDENTIFIER.test(first)) return { cel: other, used };
  return { cel: `(has(${looked}.${first}) ? ${looked}.${first}${fields.map(stepTo).join('')} : ${other})`, used };
}

function later(named: Named | undefined, by: number): Named | undefined {
  return named === undefined ? undefined : { ...named, used: named.used + by };
}
