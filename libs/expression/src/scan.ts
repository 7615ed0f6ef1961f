import { LatticeError } from '@lattice/contracts';

/** A piece of a text: literal, or the CEL text between `${{` and `}}`. */
export type Piece = { readonly literal: string } | { readonly expression: string };

/** Splits a text into literals and expressions. Strings and braces within an expression are passed over. */
export function scan(text: string): Piece[] {
  const pieces: Piece[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('${{', at);
    if (open === -1) break;
    if (open > 0 && text[open - 1] === '$') {
      literal += `${text.slice(at, open - 1)}\${{`;
      at = open + 3;
      continue;
    }
    literal += text.slice(at, open);
    const close = findClose(text, open + 3);
    if (literal !== '') pieces.push({ literal });
    literal = '';
    pieces.push({ expression: text.slice(open + 3, close) });
    at = close + 2;
  }
  literal += text.slice(at);
  if (literal !== '' || pieces.length === 0) pieces.push({ literal });
  return pieces;
}

function findClose(text: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
    else if (char === '}' && text[at + 1] === '}') return at;
  }
  throw new LatticeError(
    'bad_expression',
    `\${{ is not closed by }} in ${JSON.stringify(text.slice(Math.max(0, from - 3), from + 40))}`,
  );
}
