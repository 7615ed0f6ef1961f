import { fault, pointerOf, USES_PATTERN, type Fault } from '@lattice/contracts';
import { parseCondition, parseTemplate, type Template, type TemplateFault } from '@lattice/expression';

/** The fault of a `uses` that names no kind of task; empty when it does. */
export function unknownUses(uses: string, key: string): Fault[] {
  if (USES_PATTERN.test(uses)) return [];
  return [
    fault('unknown_uses', pointerOf(['tasks', key, 'uses']), `unknown uses "${uses.slice(0, 100)}" of task "${key}"`),
  ];
}

/** Parses the expressions of a value; their faults get pointers below `base`. */
export function readTemplate(value: unknown, base: readonly (string | number)[], faults: Fault[]): Template {
  const found: TemplateFault[] = [];
  const template = parseTemplate(value, found);
  for (const { path, error } of found) faults.push(fault(error.code, pointerOf([...base, ...path]), error.message));
  return template;
}

/** Parses a condition; its faults get the pointer of `base`. */
export function readCondition(condition: string | boolean, base: readonly string[], faults: Fault[]): Template {
  if (typeof condition === 'boolean') return { kind: 'constant', value: condition };
  const found: TemplateFault[] = [];
  const template = parseCondition(condition, found);
  for (const { error } of found) faults.push(fault(error.code, pointerOf(base), error.message));
  return template;
}

/** One key or several, as a list. */
export function listOf(keys: string | readonly string[]): readonly string[] {
  return typeof keys === 'string' ? [keys] : keys;
}
