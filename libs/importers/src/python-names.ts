import { choice, hasField, stepTo } from './cel-text';
import { Cursor, Unsaid, literal, unquoted, type Token } from './python-tokens';

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

/** A value, or the path that names it: the fields of a path are looked up together. */
type Target = { readonly fields: readonly string[] } | { readonly cel: string };

/** Reads names with all that hangs on them: fields, places, calls and methods. */
export abstract class NameReader extends Cursor {
  /** Variables of the comprehensions around. */
  protected readonly locals = new Set<string>();

  constructor(
    tokens: readonly Token[],
    private readonly nameOf: NameOf,
  ) {
    super(tokens);
  }

  /** `a if c else b`, and all that binds more tightly. */
  abstract condition(): string;

  /** What binds most tightly: a literal, a name, or what stands in brackets. */
  protected abstract primary(): string;

  protected named(name: string): string {
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
