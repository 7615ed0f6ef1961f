import { tokenizer } from 'acorn';

/** Source of a document must not hold the beginning of an expression: the same code with it written another way. */
export function escapeExpressions(source: string): string {
  if (!source.includes('${{')) return source;
  const cuts: { at: number; put: string }[] = [];
  let before = -1;
  for (const token of tokenizer(source, { ecmaVersion: 'latest', sourceType: 'module' })) {
    const { label } = token.type;
    // `${{ a: 1 }.a}` in a template: a space changes nothing between two tokens.
    if (label === '{' && token.start === before) cuts.push({ at: token.start, put: ' ' });
    before = label === '${' ? token.end : -1;
    if (label !== 'string' && label !== 'template' && label !== 'regexp') continue;
    for (let at = source.indexOf('${{', token.start); at >= 0 && at < token.end; at = source.indexOf('${{', at + 3)) {
      cuts.push({ at: at + 1, put: '\\x7b' });
    }
  }
  let made = '';
  let from = 0;
  for (const { at, put } of cuts) {
    made += source.slice(from, at) + put;
    from = put === ' ' ? at : at + 1;
  }
  return made + source.slice(from);
}
