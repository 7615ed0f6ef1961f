/**
 * What a terminal shows of a stream: the few sequences that a live region is made of, with wrapping and scrolling. A sequence that it does not know
 * is an error, so that nothing is drawn that was not thought of.
 */
export class Screen {
  private lines: string[][] = [[]];
  /** Index of the first line of the screen; those before it have been scrolled away. */
  private top = 0;
  private row = 0;
  private column = 0;
  private rest = '';
  cursorShown = true;

  constructor(
    private columns: number,
    private rows: number,
  ) {}

  /** The lines of the screen, without the empty ones at its end. */
  get shown(): string[] {
    return trimmed(this.lines.slice(this.top).map((line) => textOf(line)));
  }

  /** All lines, those that were scrolled away too. */
  get all(): string[] {
    return trimmed(this.lines.map((line) => textOf(line)));
  }

  write(text: string): void {
    const all = this.rest + text;
    this.rest = '';
    for (let at = 0; at < all.length;) {
      if (all[at] === '\u001b') {
        const found = /^\u001b\[(\??)([\d;]*)([A-Za-z])/.exec(all.slice(at, at + 20));
        if (found === null) {
          if (all.length - at >= 20) throw new Error(`unknown sequence ${JSON.stringify(all.slice(at, at + 20))}`);
          this.rest = all.slice(at);
          return;
        }
        this.obey(`${found[1]}${found[3]}`, found[2] ?? '');
        at += found[0].length;
        continue;
      }
      const letter = String.fromCodePoint(all.codePointAt(at) ?? 0);
      this.put(letter);
      at += letter.length;
    }
  }

  /** As most terminals do: lines that are too long now go on in the next row. */
  resize(columns: number, rows: number): void {
    const before = this.top + this.row;
    const wrapped: string[][] = [];
    let cursor = 0;
    this.lines.forEach((line, n) => {
      if (n === before) cursor = wrapped.length;
      do wrapped.push(line.splice(0, columns));
      while (line.length > 0);
    });
    this.lines = wrapped;
    this.columns = columns;
    this.rows = rows;
    this.top = Math.max(0, wrapped.length - rows);
    this.row = Math.max(0, cursor - this.top);
    this.column = 0;
  }

  private put(letter: string): void {
    if (letter === '\r') this.column = 0;
    else if (letter === '\n') this.newLine();
    else {
      if (this.column >= this.columns) this.newLine();
      this.line()[this.column] = letter;
      this.column += 1;
    }
  }

  private newLine(): void {
    this.column = 0;
    if (this.row < this.rows - 1) this.row += 1;
    else this.top += 1;
    this.line();
  }

  private line(): string[] {
    while (this.lines.length <= this.top + this.row) this.lines.push([]);
    return this.lines[this.top + this.row] ?? [];
  }

  private obey(command: string, argument: string): void {
    switch (command) {
      case 'A':
        this.row = Math.max(0, this.row - Number(argument || 1));
        break;
      case 'K':
        this.line().splice(this.column);
        break;
      case 'J':
        this.line().splice(this.column);
        this.lines.splice(this.top + this.row + 1);
        break;
      case '?l':
      case '?h':
        if (argument === '25') this.cursorShown = command === '?h';
        break;
      case 'm':
        break;
      default:
        throw new Error(`unknown sequence ${argument}${command}`);
    }
  }
}

function textOf(line: readonly string[]): string {
  return Array.from(line, (letter) => letter ?? ' ')
    .join('')
    .trimEnd();
}

function trimmed(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}
