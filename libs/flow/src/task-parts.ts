import { fault, pointerOf, USES_PATTERN, type Fault } from '@lattice/contracts';
import {
  parseCondition,
  parseTemplate,
  secretUses,
  type SecretUse,
  type Template,
  type TemplateFault,
} from '@lattice/expression';

/** The fault of a `uses` that names no kind of task; empty when it does. */
export function unknownUses(uses: string, key: string): Fault[] {
  if (USES_PATTERN.test(uses)) return [];
  return [
    fault('unknown_uses', pointerOf(['tasks', key, 'uses']), `unknown uses "${uses.slice(0, 100)}" of task "${key}"`),
  ];
}

/** Parses the expressions of a value; their faults get pointers below `base`. No secret may be used in it. */
export function readTemplate(value: unknown, base: readonly (string | number)[], faults: Fault[]): Template {
  return readSecretTemplate({ value, base, faults, mayHold: () => false });
}

/** {@link readTemplate} of a value that may use secrets at places within it. */
export function readSecretTemplate(reading: {
  value: unknown;
  base: readonly (string | number)[];
  faults: Fault[];
  mayHold: (path: SecretUse['path']) => boolean;
}): Template {
  const { base, faults } = reading;
  const found: TemplateFault[] = [];
  const template = parseTemplate(reading.value, found);
  for (const { path, error } of found) faults.push(fault(error.code, pointerOf([...base, ...path]), error.message));
  for (const use of secretUses(template)) {
    if (use.plain && reading.mayHold(use.path)) continue;
    faults.push(secretFault(pointerOf([...base, ...use.path]), use));
  }
  return template;
}

/** What is computed from a secret could not be found in a log; what is not an environment would be kept in the history. */
function secretFault(pointer: string, { names, plain }: SecretUse): Fault {
  const [name = ''] = names;
  const message = plain ? `secret "${name}" may not be used here` : `nothing may be computed from secret "${name}"`;
  return fault('secret_misplaced', pointer, message);
}

/** Parses a condition; its faults get the pointer of `base`. */
export function readCondition(condition: string | boolean, base: readonly string[], faults: Fault[]): Template {
  if (typeof condition === 'boolean') return { kind: 'constant', value: condition };
  const found: TemplateFault[] = [];
  const template = parseCondition(condition, found);
  for (const { error } of found) faults.push(fault(error.code, pointerOf(base), error.message));
  for (const use of secretUses(template)) faults.push(secretFault(pointerOf(base), use));
  return template;
}

/** One key or several, as a list. */
export function listOf(keys: string | readonly string[]): readonly string[] {
  return typeof keys === 'string' ? [keys] : keys;
}
