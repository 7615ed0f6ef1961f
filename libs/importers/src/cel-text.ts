import { parseTemplate, type TemplateFault } from '@lattice/expression';

/** Names that expressions know by themselves. */
export const ROOTS: ReadonlySet<string> = new Set(['inputs', 'tasks', 'run', 'each']);
export const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether the text is one expression. */
export function isCel(text: string): boolean {
  const faults: TemplateFault[] = [];
  const { kind } = parseTemplate(`\${{ ${text} }}`, faults);
  return faults.length === 0 && kind === 'expression';
}

/** A step of a path: a field, or a place in a list. */
export function stepTo(field: string): string {
  if (/^\d+$/.test(field)) return `[${field}]`;
  return IDENTIFIER.test(field) ? `.${field}` : `[${JSON.stringify(field)}]`;
}

/** Asks whether a value has a field. */
export function hasField(base: string, field: string): string {
  // CEL has has() for fields of names only.
  if (IDENTIFIER.test(field) && isPath(base)) return `has(${base}.${field})`;
  return `(type(${base}) == map && ${JSON.stringify(field)} in ${base})`;
}

/** Whether the text is a name with fields, nothing that is computed. */
export function isPath(cel: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.]*$/.test(cel) && !['true', 'false', 'null'].includes(cel);
}

/** CEL wants both values to be of one type, unless it does not know the type of one. */
export function choice(asked: string, value: string, other: string): string {
  if (isPath(value) || isPath(other)) return `(${asked} ? ${value} : ${other})`;
  return `(${asked} ? dyn(${value}) : dyn(${other}))`;
}

/** `in` asks for a member of a list or map, or for a part of a text. */
export function isIn(part: string, whole: string): string {
  if (/^[[{]/.test(whole)) return `${part} in ${whole}`;
  return `(type(${whole}) == string ? ${whole}.contains(${part}) : ${part} in ${whole})`;
}

/** Part of a text: as it is, or the value of an expression. */
export type Piece = { readonly text: string } | { readonly cel: string };

/** Pieces as a text of a document. One that is a single expression keeps the type of its value. */
export function templateOf(pieces: readonly Piece[]): string {
  let result = '';
  let plain = '';
  for (const piece of pieces) {
    if ('text' in piece) {
      plain += piece.text;
      continue;
    }
    // A $ before an expression would make it text.
    let end = plain.length;
    while (plain[end - 1] === '$') end -= 1;
    const dollars = plain.slice(end);
    result += escaped(plain.slice(0, end));
    result += `${dollars === '' ? '' : `\${{ '${dollars}' }}`}\${{ ${piece.cel} }}`;
    plain = '';
  }
  return result + escaped(plain);
}

/** What would begin an expression is text with one $ more. */
function escaped(plain: string): string {
  return plain.replaceAll('${{', () => '$${{');
}
