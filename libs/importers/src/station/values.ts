import { templateOf, type Piece } from '../cel-text';
import { toCel } from '../python-expression';
import type { NameOf } from '../python-names';
import { fieldsOf } from './graph';

/** Characters and fields of a path: what a person writes is far below, and patterns run out of stack far above. */
const LONGEST_PATH = 2_000;
const MOST_FIELDS = 100;
const FIELD = '[A-Za-z_][A-Za-z0-9_-]*';
const PATH = new RegExp(`^(?:\\$\\.)?(${FIELD}(?:\\[\\d{1,6}\\])*(?:\\.${FIELD}(?:\\[\\d{1,6}\\])*)*)$`);
const JSON_PATH = new RegExp(`^\\$(?:\\.${FIELD}(?:\\[\\d{1,6}\\])*)+$`);
const TEMPLATES = new RegExp(`\\{\\{([^{}]{1,2000})\\}\\}|\\$\\{(${FIELD}(?:\\.${FIELD}){0,${MOST_FIELDS}})\\}`, 'g');

/** The fields of a path such as `$.a.b[0]` or `a.b`; undefined when it is none. */
export function pathOf(text: string): readonly string[] | undefined {
  const path = text.length > LONGEST_PATH ? undefined : PATH.exec(text.trim())?.[1];
  return path?.split(/[.[]/).map((part) => part.replace(/\]$/, ''));
}

/** The expression of a path; undefined when nothing here is that. */
export function celOfPath(text: string, nameOf: NameOf): string | undefined {
  const path = pathOf(text);
  const named = path === undefined ? undefined : nameOf(path);
  return path === undefined || named === undefined ? undefined : fieldsOf(named, path);
}

interface Naming {
  readonly nameOf: NameOf;
  /** Whether `${name}` stands for something; there, other such texts stay as they are. */
  readonly isKnown: (path: readonly string[]) => boolean;
  /** Texts that were left as they are. */
  readonly unread: Set<string>;
}

/** A value with `$.path`, `{{ expression }}` and `${name}` in its texts as expressions. */
export function withExpressions(value: unknown, naming: Naming): unknown {
  if (typeof value === 'string') return textOf(value, naming);
  if (Array.isArray(value)) return value.map((item) => withExpressions(item, naming));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withExpressions(member, naming)]));
}

function textOf(text: string, naming: Naming): string {
  if (text.length <= LONGEST_PATH && JSON_PATH.test(text)) {
    const cel = celOfPath(text, naming.nameOf);
    if (cel === undefined) naming.unread.add(text);
    return templateOf([cel === undefined ? { text } : { cel }]);
  }
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(TEMPLATES)) {
    const [found, expression, name = ''] = match;
    pieces.push({ text: text.slice(end, match.index) });
    end = match.index + found.length;
    const cel = expression === undefined ? named(name, naming) : templated(expression, naming);
    if (cel === undefined) naming.unread.add(found);
    pieces.push(cel === undefined ? { text: found } : { cel });
  }
  return templateOf([...pieces, { text: text.slice(end) }]);
}

function named(name: string, { nameOf, isKnown }: Naming): string | undefined {
  return isKnown(name.split('.')) ? celOfPath(name, nameOf) : undefined;
}

function templated(expression: string, { nameOf }: Naming): string | undefined {
  if (pathOf(expression) !== undefined) return celOfPath(expression, nameOf);
  return toCel(expression.replaceAll(/\$\.(?=[A-Za-z_])/g, ''), nameOf, { dashed: false });
}
