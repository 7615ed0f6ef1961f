/** A name as it begins a path in the other system -> what it is called here; undefined when nothing here is that. */
export type NameOf = (path: readonly string[]) => { readonly cel: string; readonly used: number } | undefined;

type Token = { readonly kind: 'name' | 'text' | 'number' | 'sign'; readonly text: string };

const TOKENS =
  /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_-]*(?<!-))|(?<number>\d+(?:\.\d+)?)|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<sign>==|!=|<=|>=|[-+*/%<>()[\]{}.,:]))/y;
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

/** What can't be said in CEL; the caller tells the user. */
class Unsaid extends Error {}

/**
 * An expression of Python or Starlark in CEL: operators, conditions, comparisons, literals, paths, `len`, `str`, `int`, `float`, `hasattr`,
 * `getattr` and `.get`. Undefined for all else.
 */
export function toCel(text: string, nameOf: NameOf): string | undefined {
  try {
    const tokens = tokensOf(text);
    const reader = new Reader(tokens, nameOf);
    const cel = reader.condition();
    return reader.isAtEnd ? cel : undefined;
  } catch (error) {
    if (error instanceof Unsaid) return undefined;
    throw error;
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < end) {
    const groups = TOKENS.exec(text)?.groups;
    const [found] = Object.entries(groups ?? {}).filter((entry) => entry[1] !== undefined);
    const [kind, value] = found ?? [];
    if (value === undefined || (kind !== 'name' && kind !== 'text' && kind !== 'number' && kind !== 'sign'))
      throw new Unsaid();
    tokens.push({ kind, text: value });
  }
  return tokens;
}

/** As deep as a person nests; a hostile file goes deeper. */
const DEEPEST = 50;

class Reader {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly nameOf: NameOf,
  ) {}

  get isAtEnd(): boolean {
    return this.at === this.tokens.length;
  }

  /** `a if c else b`, and all that binds more tightly. */
  condition(): string {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new Unsaid();
    const value = this.either();
    if (!this.takes('if')) {
      this.depth -= 1;
      return value;
    }
    const asked = this.either();
    this.expect('else');
    const other = this.condition();
    this.depth -= 1;
    return `(${asked} ? ${value} : ${other})`;
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
    if (COMPARISONS.has(sign)) {
      this.at += 1;
      return `${left} ${sign} ${this.sum()}`;
    }
    if (this.takes('is')) return `${left} ${this.takes('not') ? '!=' : '=='} ${this.sum()}`;
    if (this.takes('in')) return `${left} in ${this.sum()}`;
    if (sign !== 'not') return left;
    this.expect('not');
    this.expect('in');
    return `!(${left} in ${this.sum()})`;
  }

  private sum(): string {
    return this.chain(['+', '-'], () => this.chain(['*', '/', '%'], () => this.primary()));
  }

  private chain(signs: readonly string[], next: () => string): string {
    let left = next();
    for (;;) {
      const sign = this.peek();
      if (sign?.kind !== 'sign' || !signs.includes(sign.text)) return left;
      this.at += 1;
      left = `${left} ${sign.text} ${next()}`;
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
        return `-${this.primary()}`;
      case '[':
        return `[${this.list(']', () => this.condition())}]`;
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

  private named(name: string): string {
    const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
    if (constant !== undefined) return constant;
    if (this.takes('(')) return this.call(name);
    return this.path(name).cel;
  }

  private call(name: string): string {
    if (name === 'hasattr' || name === 'getattr') {
      const { cel, steps } = this.path(this.next().text);
      this.expect(',');
      const field = literal(this.next());
      const asked = steps === 0 ? `${field} in ${cel}` : `has(${cel}${fieldOf(field)})`;
      if (name === 'hasattr') {
        this.expect(')');
        return asked;
      }
      if (!this.takes(',')) throw new Unsaid();
      const other = this.condition();
      this.expect(')');
      return `(${asked} ? ${cel}${fieldOf(field)} : ${other})`;
    }
    const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (known === undefined) throw new Unsaid();
    const argument = this.condition();
    this.expect(')');
    return `${known}(${argument})`;
  }

  /** A name with its fields; `.get("a", b)` as the field if it is there, else b. */
  private path(first: string): { cel: string; steps: number } {
    const fields = [first];
    for (;;) {
      if (this.takes('.')) {
        const field = this.next();
        if (field.kind !== 'name') throw new Unsaid();
        if (this.peek()?.text === '(') return { cel: this.got(fields, field.text), steps: 1 };
        fields.push(field.text);
      } else if (this.takes('[')) {
        const index = this.next();
        if (index.kind === 'name' || index.kind === 'sign') throw new Unsaid();
        fields.push(index.kind === 'text' ? unquoted(index.text) : index.text);
        this.expect(']');
      } else break;
    }
    return { cel: this.resolved(fields), steps: fields.length };
  }

  private got(fields: readonly string[], method: string): string {
    if (method !== 'get') throw new Unsaid();
    this.expect('(');
    const field = literal(this.next());
    const other = this.takes(',') ? this.condition() : 'null';
    this.expect(')');
    const cel = `${this.resolved(fields)}${fieldOf(field)}`;
    return `(has(${cel}) ? ${cel} : ${other})`;
  }

  private resolved(fields: readonly string[]): string {
    const found = this.nameOf(fields);
    if (found === undefined) throw new Unsaid();
    return found.cel + fields.slice(found.used).map(stepTo).join('');
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private next(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Unsaid();
    this.at += 1;
    return token;
  }

  private takes(text: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || token.kind === 'text' || token.text !== text) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.takes(text)) throw new Unsaid();
  }
}

/** A step of a path: a field, or a place in a list. */
export function stepTo(field: string): string {
  if (/^\d+$/.test(field)) return `[${field}]`;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) ? `.${field}` : `[${JSON.stringify(field)}]`;
}

function fieldOf(quoted: string): string {
  return stepTo(String(JSON.parse(quoted)));
}

/** A text as CEL writes it. Only escapes that both have. */
function literal({ kind, text }: Token): string {
  if (kind !== 'text') throw new Unsaid();
  return JSON.stringify(unquoted(text));
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, escaped: string) => {
    const plain = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'" }[escaped];
    if (plain === undefined) throw new Unsaid();
    return plain;
  });
}
