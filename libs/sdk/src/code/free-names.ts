import type { AnyNode, Class, Function as FunctionNode, Node, Pattern } from 'acorn';

/** What a piece of code takes from around itself. */
export interface Free {
  /** Names that it uses and does not declare, globals included. */
  readonly names: Set<string>;
  /** What can't mean the same elsewhere, in words. */
  readonly faults: Set<string>;
}

interface Scope {
  readonly names: Set<string>;
  readonly parent: Scope | undefined;
  /** True inside of a function that has a `this` of its own. */
  readonly ownThis: boolean;
}

/** What the code of a node takes from around it. `task`: it is a function that is called without a `this`. */
export function freeNames(node: Node, { task = false } = {}): Free {
  const free: Free = { names: new Set(), faults: new Set() };
  const outside: Scope = { names: new Set(), parent: undefined, ownThis: false };
  const root = asNode(node);
  if (task && isFunction(root)) visitFunction(root, outside, free, false);
  else visit(root, outside, free);
  return free;
}

/** Names that a pattern declares. */
export function namesOf(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) => namesOf(one.type === 'RestElement' ? one.argument : one.value));
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => (one === null ? [] : namesOf(one)));
    case 'RestElement':
      return namesOf(pattern.argument);
    case 'AssignmentPattern':
      return namesOf(pattern.left);
    case 'MemberExpression':
      return [];
  }
}

/** Names that a list of statements declares for itself: what `let`, `const`, classes and functions name. */
export function lexicalNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((one) => {
    if (one.type === 'VariableDeclaration')
      return one.kind === 'var' ? [] : one.declarations.flatMap(({ id }) => namesOf(id));
    if (one.type === 'FunctionDeclaration' || one.type === 'ClassDeclaration')
      return one.id === null ? [] : [one.id.name];
    return [];
  });
}

/** Child nodes, in the order of the source. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value: unknown) => isNode(value));
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function asNode(node: Node): AnyNode {
  if (!isNode(node)) throw new TypeError('not a node');
  return node;
}

/** Names that `var` declares below a node, however deep, but not within functions. */
function varNames(node: AnyNode): string[] {
  if (isFunction(node)) return [];
  const own = node.type === 'VariableDeclaration' && node.kind === 'var' ? node.declarations : [];
  return [...own.flatMap(({ id }) => namesOf(id)), ...childrenOf(node).flatMap(varNames)];
}

export function isFunction(node: AnyNode): node is AnyNode & FunctionNode {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  );
}

function inner(parent: Scope, names: Iterable<string>, ownThis = parent.ownThis): Scope {
  return { names: new Set(names), parent, ownThis };
}

function isDeclared(name: string, scope: Scope | undefined): boolean {
  return scope !== undefined && (scope.names.has(name) || isDeclared(name, scope.parent));
}

function visitAll(nodes: readonly (AnyNode | null | undefined)[], scope: Scope, free: Free): void {
  for (const node of nodes) if (node) visit(node, scope, free);
}

function visit(node: AnyNode, scope: Scope, free: Free): void {
  switch (node.type) {
    case 'Identifier':
      if (!isDeclared(node.name, scope)) free.names.add(node.name);
      return;
    case 'ThisExpression':
      if (!scope.ownThis) free.faults.add('it uses `this`, which is another one elsewhere');
      return;
    case 'MetaProperty':
      if (node.meta.name === 'import') free.faults.add('it uses `import.meta`, which is another one elsewhere');
      return;
    case 'ImportExpression':
      if (node.source.type !== 'Literal') free.faults.add('it imports a module whose name is not a plain text');
      return visit(node.source, scope, free);
    case 'MemberExpression':
      return visitAll([node.object, node.computed ? node.property : null], scope, free);
    case 'Property':
    case 'MethodDefinition':
      return visitAll([node.computed ? node.key : null, node.value], scope, free);
    case 'PropertyDefinition':
      visitAll([node.computed ? node.key : null], scope, free);
      return visitAll([node.value], inner(scope, [], true), free);
    case 'LabeledStatement':
      return visit(node.body, scope, free);
    case 'BreakStatement':
    case 'ContinueStatement':
      return;
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return visitFunction(node, scope, free);
    case 'ClassDeclaration':
    case 'ClassExpression':
      return visitClass(node, scope, free);
    default:
      return visitBlock(node, scope, free);
  }
}

/** What opens a scope by its own declarations, and whatever is left: all children. */
function visitBlock(node: AnyNode, scope: Scope, free: Free): void {
  switch (node.type) {
    case 'Program':
    case 'BlockStatement':
      return visitAll(
        node.body,
        inner(scope, [...lexicalNames(node.body), ...(node.type === 'Program' ? varNames(node) : [])]),
        free,
      );
    case 'StaticBlock':
      return visitAll(
        node.body,
        inner(scope, [...lexicalNames(node.body), ...node.body.flatMap(varNames)], true),
        free,
      );
    case 'ForStatement':
      return visitAll(childrenOf(node), inner(scope, lexicalNames(node.init ? [node.init] : [])), free);
    case 'ForInStatement':
    case 'ForOfStatement':
      return visitAll(childrenOf(node), inner(scope, lexicalNames([node.left])), free);
    case 'SwitchStatement':
      visit(node.discriminant, scope, free);
      return visitAll(
        node.cases,
        inner(
          scope,
          node.cases.flatMap(({ consequent }) => lexicalNames(consequent)),
        ),
        free,
      );
    case 'CatchClause': {
      const caught = inner(scope, node.param ? namesOf(node.param) : []);
      return visitAll([node.param, node.body], caught, free);
    }
    default:
      return visitAll(childrenOf(node), scope, free);
  }
}

function visitFunction(
  node: AnyNode & FunctionNode,
  scope: Scope,
  free: Free,
  ownThis = node.type !== 'ArrowFunctionExpression' || scope.ownThis,
): void {
  const isArrow = node.type === 'ArrowFunctionExpression';
  const own = [...(isArrow ? [] : ['arguments']), ...(node.id ? [node.id.name] : []), ...node.params.flatMap(namesOf)];
  const names = [...own, ...varNames(node.body)];
  const inside = inner(scope, names, ownThis);
  visitAll([...node.params, node.body], inside, free);
}

function visitClass(node: Class, scope: Scope, free: Free): void {
  const inside = inner(scope, node.id ? [node.id.name] : []);
  visitAll([node.superClass, ...node.body.body], inside, free);
}
