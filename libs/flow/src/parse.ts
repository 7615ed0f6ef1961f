import { LatticeError, fault, pointerOf, type Fault } from '@lattice/contracts';
import { MAX_CHARACTERS, isTooLarge, parseYaml } from './parse-yaml';

/** Documents and inputs nest at most so deep; no real one comes near, and recursion stays safe. */
export const MAX_DEPTH = 100;

export type DocumentFormat = 'yaml' | 'json';

/** The value of a YAML or JSON text. Throws LatticeError `unparsable` with line and column. */
export function parseDocumentText(text: string, format: DocumentFormat): unknown {
  try {
    const value = format === 'json' ? parseJson(text) : parseYaml(text);
    if (format === 'yaml' && isTooLarge(value)) {
      const limit = `${MAX_CHARACTERS / 1_048_576} MiB`;
      throw new LatticeError('unparsable', `the document comes to more than ${limit}; do aliases refer to aliases?`);
    }
    return value;
  } catch (error) {
    if (error instanceof LatticeError) throw error;
    const message =
      error instanceof RangeError
        ? 'the text nests too deeply'
        : error instanceof Error
          ? error.message
          : String(error);
    throw new LatticeError('unparsable', message.split('\n', 1)[0] ?? 'not parsable');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    throw new LatticeError(
      'unparsable',
      position === undefined ? message : `${message} ${placeOf(text, Number(position))}`,
    );
  }
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  return `(line ${line}, column ${position - before.lastIndexOf('\n')})`;
}

/** Faults that would make the rest unsafe: nesting beyond {@link MAX_DEPTH}, a key `__proto__`. Walks without recursion. */
export function shapeFaults(value: unknown): Fault[] {
  const faults: Fault[] = [];
  const todo: { value: unknown; path: readonly (string | number)[] }[] = [{ value, path: [] }];
  for (let next = todo.pop(); next !== undefined && faults.length < 20; next = todo.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    const { path } = next;
    if (path.length >= MAX_DEPTH) {
      faults.push(fault('bad_value', pointerOf(path.slice(0, 3)), `nested more than ${MAX_DEPTH} levels deep`));
      continue;
    }
    const entries: [string | number, unknown][] = Array.isArray(next.value)
      ? [...next.value.entries()]
      : Object.entries(next.value);
    for (const [key, inner] of entries) {
      if (key === '__proto__')
        faults.push(fault('unknown_field', pointerOf([...path, key]), 'a key may not be "__proto__"'));
      else if (typeof inner === 'object') todo.push({ value: inner, path: [...path, key] });
    }
  }
  return faults;
}
