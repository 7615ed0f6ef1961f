import { isCel } from '../cel-text';
import { toCel } from '../python-expression';
import { described, needing, type Make } from './making';
import { makeStarlark } from './make-starlark';
import { namesAt, namesOfSwitch } from './names';
import { pathOf } from './values';

/**
 * A switch compares the key of the state that comes next, which an expression of all conditions gives. A condition that is no
 * expression here is asked by a task before it.
 */
export const makeSwitch: Make = (making, node, needs) => {
  const { context, keyOf } = making;
  const { spec, id } = node.state;
  const { scope, nodes } = node.graph;
  const dataPath = spec.dataPath && spec.dataPath !== '$' ? pathOf(spec.dataPath) : undefined;
  const reading = { context, node };
  const nameOf = dataPath === undefined ? namesAt(reading) : namesOfSwitch(reading, dataPath);
  const keyed = (state: string): string =>
    JSON.stringify(keyOf.get(nodes.find((each) => each.state.id === state)?.state ?? node.state) ?? '');
  const asked: string[] = [];
  const conditions = (spec.conditions ?? []).map(({ if: text, next }, index) => {
    const cel = toCel(text, nameOf, { dashed: false });
    // There, anything is true or false; here, only what may be a boolean is asked.
    if (cel !== undefined && isCel(`${cel} ? 1 : 2`)) return { cel, next };
    const key = scope.keys.fresh(`${node.key}_asks_${index + 1}`);
    makeStarlark(making, node, { key, needs, program: text, what: `Condition ${index + 1} of state "${id}"` });
    asked.push(key);
    return { cel: `tasks.${key}.output`, next };
  });
  // There, too, a switch without a way on fails.
  const otherwise = spec.defaultNext
    ? keyed(spec.defaultNext)
    : `{}[${JSON.stringify(`no condition of ${id.slice(0, 100)} holds`)}]`;
  const on = conditions.reduceRight(
    (other, { cel, next }) => `${cel} ? ${keyed(next)} : ${parenthesised(other)}`,
    otherwise,
  );
  scope.add(node.key, {
    uses: 'switch',
    ...described(node),
    ...needing(asked.length > 0 ? asked : needs),
    with: { on: `\${{ ${on} }}`, cases: node.arms },
  });
  return asked.length > 0 ? asked : [node.key];
};

function parenthesised(cel: string): string {
  return cel.includes(' ? ') ? `(${cel})` : cel;
}
