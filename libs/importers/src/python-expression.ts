import { IDENTIFIER, ROOTS, choice, isCel, isIn, isPath } from './cel-text';
import { NameReader, type NameOf } from './python-names';
import { Unsaid, literal, tokensOf } from './python-tokens';

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
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

class Reader extends NameReader {
  private depth = 0;

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

  protected primary(): string {
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
}
