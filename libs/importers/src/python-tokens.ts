export type Token = { readonly kind: 'name' | 'text' | 'number' | 'sign'; readonly text: string };

/** What can't be said in CEL; the caller tells the user. */
export class Unsaid extends Error {}

const REST =
  '(?<number>\\d+(?:\\.\\d+)?)|(?<text>"(?:[^"\\\\\\n]|\\\\.)*"|\'(?:[^\'\\\\\\n]|\\\\.)*\')|(?<sign>==|!=|<=|>=|[-+*/%<>()[\\]{}.,:]))';
const TOKENS = new RegExp(`\\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|${REST}`, 'y');
/** Names of steps may have a - within. */
const DASHED_TOKENS = new RegExp(`\\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_-]*(?<!-))|${REST}`, 'y');

/** The tokens of an expression. Throws {@link Unsaid} at a sign that has no place in one. */
export function tokensOf(text: string, dashed: boolean): Token[] {
  const pattern = dashed ? DASHED_TOKENS : TOKENS;
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  pattern.lastIndex = 0;
  while (pattern.lastIndex < end) {
    const groups = pattern.exec(text)?.groups;
    const [found] = Object.entries(groups ?? {}).filter((entry) => entry[1] !== undefined);
    const [kind, value] = found ?? [];
    if (value === undefined || (kind !== 'name' && kind !== 'text' && kind !== 'number' && kind !== 'sign'))
      throw new Unsaid();
    tokens.push({ kind, text: value });
  }
  return tokens;
}

/** A text as CEL writes it. Only escapes that both have. */
export function literal({ kind, text }: Token): string {
  if (kind !== 'text') throw new Unsaid();
  return JSON.stringify(unquoted(text));
}

/** What a text in quotes says. */
export function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, escaped: string) => {
    const plain = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'" }[escaped];
    if (plain === undefined) throw new Unsaid();
    return plain;
  });
}

/** Goes through tokens. */
export class Cursor {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get isAtEnd(): boolean {
    return this.at === this.tokens.length;
  }

  protected peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }

  protected next(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Unsaid();
    this.at += 1;
    return token;
  }

  /** Goes past the sign or word if it is next. */
  protected takes(text: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || token.kind === 'text' || token.text !== text) return false;
    this.at += 1;
    return true;
  }

  protected expect(text: string): void {
    if (!this.takes(text)) throw new Unsaid();
  }
}
