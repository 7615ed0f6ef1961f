import { plain, whole, type Node } from './graph';
import { described, expressed, finish, needing, type Make, type Making } from './making';
import { makeStarlark } from './make-starlark';
import { namesAt } from './names';
import { programToCel } from './starlark';
import { withExpressions } from './values';

function add(node: Node, needs: readonly string[], value: unknown): void {
  node.graph.scope.add(node.key, { uses: 'transform', ...described(node), ...needing(needs), with: value });
}

/** An inject is a transform that gives its data. */
export const makeInject: Make = (making, node, needs) => {
  const { spec } = node.state;
  const data = spec.data ?? {};
  add(node, needs, expressed(making, node, data));
  const names = ['data', 'result'].filter((name) => !Object.hasOwn(data, name));
  const value = `tasks.${node.key}.output`;
  finish(node, whole(value, names));
  // There, data without a place is under "ctx".
  if (!spec.resultPath) node.writes.push({ path: ['ctx'], read: plain(value) });
  return [node.key];
};

/** A transform is one expression, where its program can be said as one; else the handler `starlark` gets the program. */
export const makeTransform: Make = (making, node, needs) => {
  const { spec, id } = node.state;
  const program = spec.expression ?? '';
  const cel = programToCel(program, namesAt({ context: making.context, node, inputIsPrevious: true }));
  if (cel === undefined) makeStarlark(making, node, { key: node.key, needs, program, what: `State "${id}"` });
  else add(node, needs, `\${{ ${cel} }}`);
  const hasOwn = /["']result["']\s*:/.test(program);
  finish(node, whole(`tasks.${node.key}.output`, hasOwn ? [] : ['result']));
  return [node.key];
};

/** A cron is a schedule of the workflow, which the notes tell how to make; its input is a transform. */
export const makeCron: Make = (making, node, needs) => {
  const { spec } = node.state;
  const input = spec.input ?? {};
  add(node, needs, withExpressions(input, { nameOf: () => undefined, isKnown: () => false, unread: making.unread }));
  const value = `tasks.${node.key}.output`;
  finish(node, plain(value), false);
  for (const name of Object.keys(input))
    node.writes.push({ path: [name], read: plain(`${value}[${JSON.stringify(name)}]`) });
  noteSchedule(making, node);
  return [node.key];
};

function noteSchedule({ notes, name }: Making, { state: { id, spec } }: Node): void {
  const { cron, timezone, enabled } = spec;
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll(/\s+/g, ' ')}'`;
  const options = `--cron ${quoted(cron ?? '')}${timezone ? ` --timezone ${quoted(timezone)}` : ''}`;
  const body = JSON.stringify({ name, workflow: name, cron, ...(timezone ? { timezone } : {}) });
  const off = enabled === false ? ` It is off there: lattice schedules pause ${name}` : '';
  notes.push(
    `State "${id}" is a schedule. Save the workflow, then: lattice schedules create ${name} ${name} ${options} (or POST /v1/schedules ${body}).${off}`,
  );
}
