import { toCel } from '../python-expression';
import type { NameOf } from '../python-names';

const ASSIGNMENT = /^([A-Za-z_]\w*)[ \t]*=(?!=)([\s\S]*)$/;

/**
 * A program of Starlark in CEL: names that are given values once, and an expression at the end. Undefined for all else: what
 * decides, repeats or changes is no expression.
 */
export function programToCel(text: string, nameOf: NameOf): string | undefined {
  const statements = statementsOf(text);
  const last = statements?.at(-1);
  if (statements === undefined || last === undefined) return undefined;
  const locals = new Map<string, string>();
  const known: NameOf = (path) => {
    const local = locals.get(path[0] ?? '');
    return local === undefined ? nameOf(path) : { cel: local, used: 1 };
  };
  for (const statement of statements) {
    const [, name, value] = ASSIGNMENT.exec(statement) ?? [];
    if (name === undefined || value === undefined) {
      return statement === last ? toCel(statement, known, { dashed: false }) : undefined;
    }
    const cel = toCel(value, known, { dashed: false });
    if (cel === undefined) return undefined;
    locals.set(name, /^[A-Za-z_][\w.]*$/.test(cel) ? cel : `(${cel})`);
    if (statement === last) return cel;
  }
  return undefined;
}

/** The statements, without comments; undefined when a line begins a block. */
function statementsOf(text: string): string[] | undefined {
  const statements: string[] = [];
  let current = '';
  let open = 0;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote !== '') {
      current += char;
      if (char === '\\') current += text[(at += 1)] ?? '';
      else if (char === quote) quote = '';
      continue;
    }
    if (char === '#') {
      at = text.indexOf('\n', at);
      if (at === -1) break;
      at -= 1;
      continue;
    }
    if (char === '"' || char === "'") quote = char;
    if ('([{'.includes(char)) open += 1;
    if (')]}'.includes(char)) open -= 1;
    if (char === '\n' && open <= 0) {
      statements.push(current);
      current = '';
    } else current += char;
  }
  const lines = [...statements, current].filter((line) => line.trim() !== '');
  const [indent = ''] = /^[ \t]*/.exec(lines[0] ?? '') ?? [];
  if (lines.some((line) => !line.startsWith(indent) || /^[ \t]/.test(line.slice(indent.length)))) return undefined;
  return lines.map((line) => line.trim());
}

/** Names with their fields, but for the name of a method that is called. So many fields are more than a person writes. */
const CHAIN = /(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*(?!\s*\()){0,100}/g;

/** A program without its comments and texts. By hand: patterns for texts run out of stack in long ones, or take quadratic time. */
function codeOf(text: string): string {
  let code = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char !== '#' && char !== '"' && char !== "'") continue;
    code += `${text.slice(from, at)} `;
    at = char === '#' ? endOfLine(text, at) - 1 : endOfText(text, at);
    from = at + 1;
  }
  return code + text.slice(from);
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** Place of the quote that ends the text; one that nothing ends goes on to the end of its line. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\n') return at - 1;
    if (text[at] === '\\') at += 1;
    else if (text[at] === text[start]) return at;
  }
  return text.length;
}

/** Names that a program may ask the context for, as they stand in it. */
export function namesIn(text: string): string[][] {
  const found = new Map<string, string[]>();
  for (const [chain] of codeOf(text).matchAll(CHAIN)) found.set(chain, chain.split('.'));
  return [...found.values()].slice(0, 200);
}
