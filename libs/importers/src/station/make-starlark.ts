import { templateOf } from '../cel-text';
import { fieldsOf, type Node } from './graph';
import { needing, type Making } from './making';
import { namesIn } from './starlark';

interface Program {
  readonly key: string;
  readonly needs: readonly string[];
  readonly program: string;
  /** What it is of, for the note. */
  readonly what: string;
}

/** A program that is no expression here is given to the handler `starlark`, with what it names of the context. */
export function makeStarlark(making: Making, node: Node, { key, needs, program, what }: Program): void {
  const { context, handlers, notes } = making;
  handlers.add('starlark');
  const shown = program.trim().replaceAll(/\s+/g, ' ');
  notes.push(
    `${what} can't be said as an expression here; the handler starlark gets it, with its context: ${shown.slice(0, 200)}`,
  );
  const names: Record<string, string> = {};
  for (const chain of namesIn(program)) {
    const path = chain[0] === 'ctx' || chain[0] === 'input' ? chain.slice(1) : chain;
    const [first = ''] = path;
    const found = context.before(node, path) ?? (context.inputs.declared.has(first) ? context.input(path) : undefined);
    if (found === undefined || found.used === 0) continue;
    const at = path.slice(0, found.used);
    names[at.join('.')] = `\${{ ${fieldsOf(found, at)} }}`;
  }
  const previous = context.previous(node);
  node.graph.scope.add(key, {
    uses: 'handler/starlark',
    ...needing(needs),
    with: {
      program: templateOf([{ text: program }]),
      context: names,
      ...(previous === undefined ? {} : { previous: `\${{ ${previous} }}` }),
    },
  });
}
