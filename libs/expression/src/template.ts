import { LatticeError } from '@lattice/contracts';
import { withinTime } from './bounded-loops';
import { firstLine, isOverflow, parseProgram, type Program } from './language';
import { fromCel, toCel } from './numbers';
import { mergeReferences, pathOf, referencesOf, type Path, type References } from './references';
import { scan } from './scan';

/** What is known of a task when an expression is evaluated. */
export interface TaskScope {
  readonly output: unknown;
  readonly status: string;
  /** References to the files that the task left, by name. */
  readonly artifacts?: Readonly<Record<string, unknown>>;
  readonly error?: unknown;
  readonly attempts?: number;
}

/** The values that expressions may name. `tasks` holds only what the template refers to. */
export interface Scope {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly tasks: Readonly<Record<string, TaskScope>>;
  readonly run: Readonly<Record<string, unknown>>;
  /** The round of a map or loop: item or last, and index. */
  readonly each?: Readonly<Record<string, unknown>> | undefined;
  /** Only where secrets may be used: name -> value. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

interface Expression {
  readonly text: string;
  readonly program: Program;
  readonly path: Path | undefined;
  readonly references: References;
}

/** A JSON value with its expressions parsed. */
export type Template =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'text'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'list'; readonly items: readonly Template[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Template])[] };

/** A fault found while a template was parsed, at its place within the value. */
export interface TemplateFault {
  readonly path: readonly (string | number)[];
  readonly error: LatticeError;
}

/** Parses all expressions of a value; faults are collected, not thrown, each with its place. */
export function parseTemplate(
  value: unknown,
  faults: TemplateFault[],
  path: readonly (string | number)[] = [],
): Template {
  if (typeof value === 'string') return parseText(value, faults, path);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => parseTemplate(item, faults, [...path, index]));
    // Not the list as it was: an escaped `$${{` within it stands for `${{` by now.
    return items.every(isConstant)
      ? { kind: 'constant', value: items.map((item) => item.value) }
      : { kind: 'list', items };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, inner]) => [key, parseTemplate(inner, faults, [...path, key])] as const,
    );
    const constants = entries.flatMap(([key, inner]) => (isConstant(inner) ? [[key, inner.value] as const] : []));
    return constants.length === entries.length
      ? { kind: 'constant', value: Object.fromEntries(constants) }
      : { kind: 'object', entries };
  }
  return { kind: 'constant', value };
}

/** Parses the text of a condition: with `${{ }}` around it, or bare. */
export function parseCondition(text: string, faults: TemplateFault[]): Template {
  return parseText(text.includes('${{') ? text : `\${{ ${text} }}`, faults, []);
}

function isConstant(template: Template): template is Extract<Template, { kind: 'constant' }> {
  return template.kind === 'constant';
}

function parseText(text: string, faults: TemplateFault[], path: readonly (string | number)[]): Template {
  if (!text.includes('${{')) return { kind: 'constant', value: text };
  try {
    const parts = scan(text).map((piece) => ('literal' in piece ? piece.literal : parseExpression(piece.expression)));
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      return typeof only === 'string' ? { kind: 'constant', value: only } : { kind: 'expression', expression: only };
    }
    return { kind: 'text', parts };
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    faults.push({ path, error });
    return { kind: 'constant', value: text };
  }
}

function parseExpression(text: string): Expression {
  const program = parseProgram(text);
  return { text: text.trim(), program, path: pathOf(program.ast), references: referencesOf(program) };
}

/** All that a template refers to. */
export function templateReferences(template: Template): References {
  return mergeReferences([...expressionsOf(template)].map(({ references }) => references));
}

/** A place of a template that refers to secrets. */
export interface SecretUse {
  readonly path: readonly (string | number)[];
  readonly names: readonly string[];
  /** The expression is `secrets.NAME` and nothing else: what comes out is the secret itself. */
  readonly plain: boolean;
}

/** Where a template refers to secrets. */
export function secretUses(template: Template, path: readonly (string | number)[] = []): SecretUse[] {
  switch (template.kind) {
    case 'constant':
      return [];
    case 'expression':
      return useOf(template.expression, path);
    case 'text':
      return template.parts.flatMap((part) => (typeof part === 'string' ? [] : useOf(part, path)));
    case 'list':
      return template.items.flatMap((item, index) => secretUses(item, [...path, index]));
    case 'object':
      return template.entries.flatMap(([key, inner]) => secretUses(inner, [...path, key]));
  }
}

function useOf({ references, path: plain }: Expression, path: readonly (string | number)[]): SecretUse[] {
  if (references.secrets.size === 0) return [];
  return [{ path, names: [...references.secrets], plain: plain !== undefined }];
}

function* expressionsOf(template: Template): Generator<Expression> {
  switch (template.kind) {
    case 'constant':
      return;
    case 'expression':
      yield template.expression;
      return;
    case 'text':
      for (const part of template.parts) if (typeof part !== 'string') yield part;
      return;
    case 'list':
      for (const item of template.items) yield* expressionsOf(item);
      return;
    case 'object':
      for (const [, inner] of template.entries) yield* expressionsOf(inner);
      return;
  }
}

/** The JSON value of a template. Throws LatticeError `expression_failed` or `number_out_of_range`, naming the expression. */
export function evaluateTemplate(template: Template, scope: Scope): unknown {
  switch (template.kind) {
    case 'constant':
      return template.value;
    case 'expression':
      return evaluate(template.expression, scope);
    case 'text':
      return template.parts.map((part) => (typeof part === 'string' ? part : asText(evaluate(part, scope)))).join('');
    case 'list':
      return template.items.map((item) => evaluateTemplate(item, scope));
    case 'object':
      return Object.fromEntries(template.entries.map(([key, inner]) => [key, evaluateTemplate(inner, scope)]));
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function evaluate(expression: Expression, scope: Scope): unknown {
  try {
    return expression.path === undefined ? compute(expression, scope) : lookUp(expression.path, scope);
  } catch (error) {
    const code =
      error instanceof LatticeError ? error.code : isOverflow(error) ? 'number_out_of_range' : 'expression_failed';
    throw new LatticeError(code, `\${{ ${expression.text} }}: ${firstLine(error)}`);
  }
}

function lookUp(path: Path, scope: Scope): unknown {
  let value: unknown = scope[path.root];
  for (const step of path.steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      throw new LatticeError('expression_failed', `there is no ${JSON.stringify(step)} in ${kindOf(value)}`);
    }
    value = Reflect.get(value, step);
  }
  return value === undefined ? null : value;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'nothing'}`;
  return `a ${typeof value}`;
}

/** Only what the expression names is converted: outputs may be large. */
function compute(expression: Expression, scope: Scope): unknown {
  const pick = (names: ReadonlySet<string>, from: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries([...names].filter((name) => Object.hasOwn(from, name)).map((name) => [name, toCel(from[name])]));
  const { inputs, tasks, allInputs, each } = expression.references;
  const context = {
    inputs: allInputs ? toCel(scope.inputs) : pick(inputs, scope.inputs),
    tasks: pick(tasks, scope.tasks),
    run: toCel(scope.run),
    ...(each ? { each: toCel(scope.each ?? {}) } : {}),
  };
  return fromCel(withinTime((): unknown => expression.program(context)));
}
