import { CEL_WORDS, LatticeError } from '@lattice/contracts';

/** Marks a reference with the type of the value that stands there when the task runs. Never there at run time. */
declare const VALUE: unique symbol;
const PATH = Symbol.for('lattice.path');
const OWNERS = Symbol.for('lattice.owners');

/** The workflow whose inputs and tasks a reference is about. */
export interface Owner {
  readonly name: string;
}

/** Stands for a value that is known only during the run: an input of the workflow, or a part of a task's output. */
export interface Reference<T> {
  readonly [VALUE]: T;
}

type Scalar = string | number | boolean | bigint | null | undefined;

type Fields<T> = unknown extends T
  ? { readonly [name: string]: Ref<T> }
  : T extends Scalar
    ? unknown
    : T extends readonly (infer E)[]
      ? Elements<E>
      : T extends object
        ? { readonly [K in keyof T]-?: Ref<T[K]> }
        : unknown;

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type Index = Digit | `${Exclude<Digit, '0'>}${Digit}`;

/**
 * The elements of a list. There is a reference to each, whatever the list will hold: the first hundred are fields of their own,
 * to which `noUncheckedIndexedAccess` adds no `undefined`.
 */
type Elements<E> = { readonly [K in Index]: Ref<E> } & { readonly [index: number]: Ref<E> };

/** A reference whose fields are references: `node.output.rows[0].name`. */
export type Ref<T> = Reference<T> & Fields<T>;

/** What may stand where a `T` is wanted: the value, a reference to one, or an object or list with references within. */
export type Bound<T> = Reference<T> | Literal<T>;
type Literal<T> = unknown extends T
  ? unknown
  : T extends Scalar
    ? T
    : T extends readonly (infer E)[]
      ? readonly Bound<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Bound<T[K]> }
        : T;

/** The value that what is bound will have. */
export type Resolved<B> =
  B extends Reference<infer T>
    ? T
    : B extends Scalar
      ? B
      : B extends readonly (infer E)[]
        ? Resolved<E>[]
        : B extends object
          ? { -readonly [K in keyof B]: Resolved<B[K]> }
          : B;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WORDS = new Set<string>(CEL_WORDS);

/** A reference to a place, given as CEL. Fields are made as they are asked for; a list is indexed with numbers. */
export function referenceTo<T>(path: string, owners?: readonly Owner[]): Ref<T>;
export function referenceTo(path: string, owners: readonly Owner[] = []): object {
  return new Proxy(Object.freeze({}), {
    get: (_target, name) => {
      if (name === PATH) return path;
      if (name === OWNERS) return owners;
      if (name === Symbol.toPrimitive) return () => refusePrimitive(path);
      return typeof name === 'symbol' ? undefined : referenceTo(`${path}${step(name)}`, owners);
    },
  });
}

/** The CEL of a reference; undefined for anything else. */
export function pathOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const path: unknown = Reflect.get(value, PATH);
  return typeof path === 'string' ? path : undefined;
}

/** Whose the places in a reference are; nobody's for anything else. */
export function ownersOf(value: unknown): readonly Owner[] {
  return isReference(value) ? value[OWNERS] : [];
}

function isReference(value: unknown): value is { readonly [OWNERS]: readonly Owner[] } {
  return pathOf(value) !== undefined;
}

/** A text with references in it: text`Hello ${node.output.name}`. */
export function text(strings: TemplateStringsArray, ...values: (Reference<unknown> | string | number)[]): Ref<string> {
  const parts = strings.map((literal, index) => {
    const value = values[index];
    const quoted = literal === '' ? [] : [JSON.stringify(literal)];
    if (value === undefined) return quoted;
    return [...quoted, typeof value === 'object' ? `string(${pathOf(value) ?? ''})` : JSON.stringify(String(value))];
  });
  return referenceTo(parts.flat().join(' + ') || '""', values.flatMap(ownersOf));
}

/**
 * A value that is worked out of others when the task runs, in CEL: cel`size(${node.output.words}) > 3`. Texts, numbers and booleans stand
 * there as they are. It is a condition unless a type is said: cel<number>`size(${node.output.words})`.
 */
export function cel<T = boolean>(
  strings: TemplateStringsArray,
  ...values: (Reference<unknown> | string | number | boolean)[]
): Ref<T> {
  const parts = strings.map((literal, index) => {
    const value = values[index];
    if (value === undefined) return literal;
    return `${literal}${typeof value === 'object' ? operand(pathOf(value) ?? '') : JSON.stringify(value)}`;
  });
  return referenceTo<T>(`(${parts.join('')})`, values.flatMap(ownersOf));
}

function operand(path: string): string {
  return /^[\w.]+$/.test(path) || path.startsWith('(') ? path : `(${path})`;
}

/** Silently it would become a text that only looks like a reference. */
function refusePrimitive(path: string): never {
  throw new LatticeError(
    'bad_value',
    `${path} has no value before the run: write text\`... \${reference}\` for a text with it, cel\`\${reference} > 3\` to calculate with it`,
  );
}

/** The text of a template that gives the value of the CEL. */
export function expression(cel: string): string {
  return `\${{ ${cel} }}`;
}

function step(name: string): string {
  if (/^\d+$/.test(name)) return `[${name}]`;
  return NAME.test(name) && !WORDS.has(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
