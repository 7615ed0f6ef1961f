import { parse, type AnyNode, type Program } from 'acorn';
import { childrenOf, freeNames, isFunction, lexicalNames, namesOf } from './free-names';
import { staticFault } from './static-value';

/** A name at the top of a file, and what brings it. */
interface Declared {
  /** The statement that declares it; for an import one that imports this name alone. */
  readonly statement: string;
  readonly node: AnyNode;
  /** Why it can't travel; undefined when it can. */
  readonly fault: string | undefined;
}

/** What a function needs of its file: statements in their order, and the reasons why some of it can't travel. */
export interface Needed {
  readonly statements: string[];
  readonly faults: string[];
}

/** A file as a module of JavaScript. Throws SyntaxError. */
export function parseModule(source: string): Program {
  return parse(source, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    allowReturnOutsideFunction: true,
  });
}

/**
 * The declarations at the top of a file that names stand for, with all that these need in turn. `text` is the function that uses
 * the names: where it stands within another function of the file, a variable of that one is no name of the top.
 */
export function neededOf(program: Program, source: string, use: { names: Iterable<string>; text: string }): Needed {
  const top = topOf(program, source);
  const closed = closedOver(program, source, use.text);
  const needed = new Map<string, Declared>();
  const faults = new Set<string>();
  const waiting = [...use.names].map((name) => ({ name, by: undefined as string | undefined }));
  for (const { name, by } of waiting) {
    const declared = top.get(name);
    if (by === undefined && closed.has(name)) {
      faults.add(`it uses \`${name}\`, a variable of the function around it: pass its value by the inputs`);
    } else if (declared === undefined) {
      if (!isGlobal(name)) faults.add(`it uses \`${name}\`, which the file does not declare at its top`);
    } else if (!needed.has(name)) {
      needed.set(name, declared);
      if (declared.fault !== undefined) {
        faults.add(`it uses \`${name}\`, ${declared.fault}`);
        continue;
      }
      const free = freeNames(declared.node);
      for (const fault of free.faults) faults.add(`\`${name}\`: ${fault}`);
      if (declared.node.type !== 'ImportDeclaration')
        waiting.push(...[...free.names].map((inner) => ({ name: inner, by: name })));
    }
  }
  const ordered = [...new Map([...needed.values()].map((one) => [one.statement, one])).values()];
  ordered.sort((a, b) => a.node.start - b.node.start);
  return { statements: ordered.map(({ statement }) => statement), faults: [...faults] };
}

/** Whether every worker has it: what this process has as a global. */
export function isGlobal(name: string): boolean {
  return (
    name === 'require' ||
    (Reflect.has(globalThis, name) && name !== 'self' && name !== 'window') ||
    name === 'undefined'
  );
}

function topOf(program: Program, source: string): Map<string, Declared> {
  const top = new Map<string, Declared>();
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement;
    for (const [name, declared] of declaredBy(node, source)) top.set(name, declared);
  }
  return top;
}

function declaredBy(node: AnyNode, source: string): [string, Declared][] {
  const text = source.slice(node.start, node.end);
  switch (node.type) {
    case 'ImportDeclaration': {
      const from = source.slice(node.source.start, node.end);
      return node.specifiers.map((one) => {
        const { name } = one.local;
        const what = source.slice(one.start, one.end);
        const clause = one.type === 'ImportSpecifier' ? `{ ${what} }` : what;
        return [name, { statement: `import ${clause} from ${from}`, node, fault: undefined }];
      });
    }
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return node.id === null ? [] : [[node.id.name, { statement: text, node, fault: undefined }]];
    case 'VariableDeclaration':
      return node.declarations.flatMap((one) =>
        namesOf(one.id).map((name): [string, Declared] => {
          const live = node.kind === 'const' || isAssignedOnce(node.kind) ? staticFault(one.init, source) : undefined;
          const fault =
            node.kind === 'let' ? 'a `let`: its value of this moment would not travel; make it a `const`' : live;
          return [name, { statement: `const ${source.slice(one.start, one.end)};`, node: one, fault }];
        }),
      );
    default:
      return [];
  }
}

/** Compilers write `var` for what was a `const`. */
function isAssignedOnce(kind: string): boolean {
  return kind === 'var';
}

/** Names that the functions around this one declare, wherever in the file a function of this text stands. */
function closedOver(program: Program, source: string, text: string): Set<string> {
  const wanted = squeeze(text);
  const closed = new Set<string>();
  const search = (node: AnyNode, around: readonly string[]): void => {
    if (isFunction(node) && squeeze(source.slice(node.start, node.end)) === wanted)
      for (const name of around) closed.add(name);
    const own = isFunction(node)
      ? node.params.flatMap(namesOf)
      : node.type === 'BlockStatement'
        ? lexicalNames(node.body)
        : [];
    const vars =
      node.type === 'VariableDeclaration' && around.length > 0
        ? node.declarations.flatMap(({ id }) => namesOf(id))
        : [];
    const inside = [...around, ...own, ...vars];
    for (const child of childrenOf(node)) search(child, inside);
  };
  for (const statement of program.body) search(statement, []);
  return closed;
}

function squeeze(text: string): string {
  return text.replace(/[\s;]+/g, '').replaceAll("'", '"');
}
