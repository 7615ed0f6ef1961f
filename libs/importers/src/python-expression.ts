import { IDENTIFIER, ROOTS, choice, hasField, isCel, isIn, isPath, stepTo } from './cel-text';
import { Cursor, Unsaid, literal, tokensOf, unquoted, type Token } from './python-tokens';

/** What a path in the other system is called here. */
export interface Named {
  readonly cel: string;
  /** So many fields of the path are in it. */
  readonly used: number;
  /** A condition under which it is there; without one it always is. */
  readonly given?: string | undefined;
}

/** A name as it begins a path in the other system -> what it is called here; undefined when nothing here is that. */
export type NameOf = (path: readonly string[]) => Named | undefined;

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
const CONSTANTS: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'null',
  true: 'true',
  false: 'false',
  null: 'null',
};
/** Functions that have a counterpart of one argument. */
const FUNCTIONS: Readonly<Record<string, string>> = { len: 'size', str: 'string', int: 'int', float: 'double' };
/** Methods of texts, with the number of their arguments. */
const METHODS: Readonly<Record<string, readonly [string, number]>> = {
  startswith: ['startsWith', 1],
  endswith: ['endsWith', 1],
  lower: ['lowerAscii', 0],
  upper: ['upperAscii', 0],
};

/** As deep as a person nests; a hostile file goes deeper. */
const DEEPEST = 50;
/** Characters, of what is read and of CEL: what is named several times is written several times. */
const LONGEST = 20_000;

/**
 * An expression of Python or Starlark in CEL: operators, conditions, comparisons, literals, paths, comprehensions of lists, `len`, `str`,
 * `int`, `float`, `hasattr`, `getattr`, `.get`, and some methods of texts. Undefined for all else, and for what CEL refuses. `dashed`
 * (the default): names may have a - within.
 */
export function toCel(text: string, nameOf: NameOf, { dashed = true } = {}): string | undefined {
  if (text.length > LONGEST) return undefined;
  try {
    const reader = new Reader(tokensOf(text, dashed), nameOf);
    const cel = reader.condition();
    return reader.isAtEnd && isCel(cel) ? cel : undefined;
  } catch (error) {
    if (error instanceof Unsaid) return undefined;
    throw error;
  }
}

/** A value, or the path that names it: the fields of a path are looked up together. */
type Target = { readonly fields: readonly string[] } | { readonly cel: string };

class Reader extends Cursor {
  private depth = 0;
  /** Variables of the comprehensions around. */
  private readonly locals = new Set<string>();

  constructor(
    tokens: readonly Token[],
    private readonly nameOf: NameOf,
  ) {
    super(tokens);
  }

  /** `a if c else b`, and all that binds more tightly. */
  condition(): string {
    return this.deeper(() => {
      const value = this.either();
      if (!this.takes('if')) return value;
      const asked = this.either();
      this.expect('else');
      return choice(asked, value, this.condition());
    });
  }

  private deeper(read: () => string): string {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new Unsaid();
    const cel = read();
    if (cel.length > LONGEST) throw new Unsaid();
    this.depth -= 1;
    return cel;
  }

  private either(): string {
    const parts = [this.both()];
    while (this.takes('or')) parts.push(this.both());
    return parts.length === 1 ? parts.join('') : `(${parts.join(' || ')})`;
  }

  private both(): string {
    const parts = [this.negation()];
    while (this.takes('and')) parts.push(this.negation());
    return parts.length === 1 ? parts.join('') : `(${parts.join(' && ')})`;
  }

  private negation(): string {
    let nots = 0;
    while (this.takes('not')) nots += 1;
    const value = this.comparison();
    return nots % 2 === 1 ? `!(${value})` : value;
  }

  private comparison(): string {
    const left = this.sum();
    const sign = this.peek()?.text ?? '';
    if (COMPARISONS.has(sign) && this.peek()?.kind === 'sign') {
      this.next();
      return `${left} ${sign} ${this.sum()}`;
    }
    if (this.takes('is')) return `${left} ${this.takes('not') ? '!=' : '=='} ${this.sum()}`;
    if (this.takes('in')) return isIn(left, this.sum());
    if (!this.takes('not')) return left;
    this.expect('in');
    return `!(${isIn(left, this.sum())})`;
  }

  private sum(): string {
    return this.chain(['+', '-'], () => this.chain(['*', '/', '%'], () => this.primary()));
  }

  private chain(signs: readonly string[], next: () => string): string {
    let left = next();
    for (;;) {
      const sign = this.peek();
      if (sign?.kind !== 'sign' || !signs.includes(sign.text)) return left;
      this.next();
      // Their division of integers gives a fraction.
      left = sign.text === '/' ? `double(${left}) / ${next()}` : `${left} ${sign.text} ${next()}`;
    }
  }

  private primary(): string {
    const token = this.next();
    if (token.kind === 'number') return token.text;
    if (token.kind === 'text') return literal(token);
    if (token.kind === 'name') return this.named(token.text);
    switch (token.text) {
      case '(': {
        const inner = this.condition();
        this.expect(')');
        return `(${inner})`;
      }
      case '-':
        return this.deeper(() => `-${this.primary()}`);
      case '[':
        return this.isComprehension() ? this.comprehension() : `[${this.list(']', () => this.condition())}]`;
      case '{':
        return `{${this.list('}', () => this.member())}}`;
      default:
        throw new Unsaid();
    }
  }

  private member(): string {
    const key = this.condition();
    this.expect(':');
    return `${key}: ${this.condition()}`;
  }

  private list(end: string, item: () => string): string {
    const items: string[] = [];
    while (!this.takes(end)) {
      items.push(item());
      if (this.takes(',')) continue;
      this.expect(end);
      break;
    }
    return items.join(', ');
  }

  /** Behind `[`: whether a `for` comes before the `]` that closes it. */
  private isComprehension(): boolean {
    return this.variable() !== undefined;
  }

  private variable(): string | undefined {
    let open = 0;
    for (let ahead = 0; ; ahead += 1) {
      const token = this.peek(ahead);
      if (token === undefined) return undefined;
      const { kind, text } = token;
      if (kind === 'name' && text === 'for' && open === 0) return this.peek(ahead + 1)?.text ?? '';
      if (kind !== 'sign') continue;
      if ('([{'.includes(text)) open += 1;
      if (')]}'.includes(text)) open -= 1;
      if (open < 0) return undefined;
    }
  }

  /** `[a(x) for x in list if b(x)]`, behind its bracket. */
  private comprehension(): string {
    const name = this.variable() ?? '';
    if (!IDENTIFIER.test(name) || ROOTS.has(name) || this.locals.has(name)) throw new Unsaid();
    this.locals.add(name);
    const item = this.condition();
    this.expect('for');
    this.expect(name);
    this.expect('in');
    this.locals.delete(name);
    const list = this.either();
    this.locals.add(name);
    const filters: string[] = [];
    while (this.takes('if')) filters.push(`.filter(${name}, ${this.either()})`);
    this.expect(']');
    this.locals.delete(name);
    const given = isPath(list) ? list : `(${list})`;
    return given + filters.join('') + (item === name ? '' : `.map(${name}, ${item})`);
  }

  private named(name: string): string {
    const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
    if (constant !== undefined) return constant;
    if (this.takes('(')) return this.call(name);
    return this.value(this.target(name));
  }

  private call(name: string): string {
    if (name === 'hasattr' || name === 'getattr') return this.attribute(name);
    const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (known === undefined) throw new Unsaid();
    const argument = this.condition();
    this.expect(')');
    return `${known}(${argument})`;
  }

  private attribute(name: 'hasattr' | 'getattr'): string {
    const first = this.next();
    if (first.kind !== 'name') throw new Unsaid();
    const target = this.target(first.text);
    this.expect(',');
    const { asked, cel } = this.optional(target, this.next());
    const other = name === 'getattr' && this.takes(',') ? this.condition() : undefined;
    this.expect(')');
    if (name === 'hasattr') return asked ?? 'true';
    if (other === undefined) return cel;
    return asked === undefined ? cel : choice(asked, cel, other);
  }

  /** A name with its fields, places and methods. */
  private target(first: string): Target {
    let target: Target = { fields: [first] };
    for (;;) {
      if (this.takes('.')) {
        const field = this.next();
        if (field.kind !== 'name') throw new Unsaid();
        target = this.takes('(') ? { cel: this.method(target, field.text) } : this.below(target, field.text);
      } else if (this.takes('[')) {
        target = this.place(target);
        this.expect(']');
      } else return target;
    }
  }

  private place(target: Target): Target {
    const token = this.peek();
    const isLast = this.peek(1)?.text === ']';
    if (isLast && token?.kind === 'text') return this.below(target, unquoted(this.next().text));
    if (isLast && token?.kind === 'number') return this.below(target, this.next().text);
    const list = this.value(target);
    // From the end.
    if (this.takes('-')) return { cel: `${list}[size(${list}) - ${this.primary()}]` };
    return { cel: `${list}[${this.condition()}]` };
  }

  private below(target: Target, field: string): Target {
    return 'fields' in target ? { fields: [...target.fields, field] } : { cel: target.cel + stepTo(field) };
  }

  private method(target: Target, name: string): string {
    if (name === 'get') {
      const { asked, cel } = this.optional(target, this.next());
      const other = this.takes(',') ? this.condition() : 'null';
      this.expect(')');
      return asked === undefined ? cel : choice(asked, cel, other);
    }
    const [known, count] = (Object.hasOwn(METHODS, name) ? METHODS[name] : undefined) ?? [];
    if (known === undefined) throw new Unsaid();
    const cel = `${this.value(target)}.${known}(${count === 0 ? '' : this.condition()})`;
    this.expect(')');
    return cel;
  }

  /** A field that may not be there: its value, and the condition that it is; undefined when it always is. */
  private optional(target: Target, token: Token): { cel: string; asked: string | undefined } {
    const field = unquoted(literal(token));
    if (!('fields' in target)) return { cel: target.cel + stepTo(field), asked: hasField(target.cel, field) };
    const fields = [...target.fields, field];
    const { cel, used, given } = this.lookUp(fields);
    if (used === fields.length) return { cel, asked: given };
    const base = cel + target.fields.slice(used).map(stepTo).join('');
    const has = hasField(base, field);
    return { cel: base + stepTo(field), asked: given === undefined ? has : `(${given} && ${has})` };
  }

  private value(target: Target): string {
    if ('cel' in target) return target.cel;
    const { cel, used } = this.lookUp(target.fields);
    return cel + target.fields.slice(used).map(stepTo).join('');
  }

  private lookUp(fields: readonly string[]): Named {
    const [first = ''] = fields;
    const found = this.locals.has(first) ? { cel: first, used: 1 } : this.nameOf(fields);
    if (found === undefined) throw new Unsaid();
    return found;
  }
}
