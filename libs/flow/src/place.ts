import type { TaskDocument } from '@lattice/contracts';
import { parseCondition, parseTemplate, templateReferences, type References, type Template } from '@lattice/expression';

type Path = readonly (string | number)[];
type Refers = (references: References) => boolean;

/** Where a task first refers to something, below the task; the task itself when no single text of it does. */
export function placeInTask(task: TaskDocument | undefined, refers: Refers): Path {
  if (task === undefined) return [];
  const { if: condition, with: body, env, cache, batch } = task;
  if (typeof condition === 'string' && refers(templateReferences(parseCondition(condition, [])))) return ['if'];
  const key = (value: { key?: string | undefined } | undefined): unknown => value?.key;
  const parts: [string[], unknown][] = [
    [['with'], body],
    [['env'], env],
    [['cache', 'key'], key(cache)],
    [['batch', 'key'], key(batch)],
  ];
  for (const [base, value] of parts) {
    const found = placeInValue(value, refers, base);
    if (found !== undefined) return found;
  }
  return [];
}

/** Where a value first refers to something, below `base`; undefined when no text of it does. */
export function placeInValue(value: unknown, refers: Refers, base: Path): Path | undefined {
  if (typeof value === 'string') return refers(templateReferences(read(value))) ? base : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, inner] of entries) {
    const found = placeInValue(inner, refers, [...base, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Faults of the text itself are told elsewhere. */
function read(text: string): Template {
  return parseTemplate(text, []);
}
