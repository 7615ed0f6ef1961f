import { parseDuration, signalNameSchema } from '@lattice/contracts';
import type { Named } from '../python-names';
import { plain, whole, type Node } from './graph';
import { durationOf, secondsOf } from './go-duration';
import { described, expressed, finish, needing, type Make } from './making';

/** As long as Station waits for an approval that does not say. */
const APPROVAL_TIMEOUT = '1h';

/** A human approval is a wait for one; the same message, the same time. */
export const makeApproval: Make = (making, node, needs) => {
  const { spec, id } = node.state;
  const message = spec.input?.['message'] || spec.message || spec.prompt;
  const { message: _, task: __, timeout_seconds: seconds, ...rest } = spec.input ?? {};
  const asked = Math.max(1, typeof seconds === 'number' ? seconds : 0);
  const timeout =
    (spec.timeout ? durationOf(spec.timeout) : undefined) ??
    (typeof seconds === 'number' ? secondsOf(asked) : APPROVAL_TIMEOUT);
  const kept = { ...(spec.approvers ? { approvers: spec.approvers } : {}), ...rest };
  if (Object.keys(kept).length > 0)
    making.notes.push(
      `State "${id}": kept as metadata, without effect: ${Object.keys(kept).join(', ')}. Whoever may operate runs may approve.`,
    );
  node.graph.scope.add(node.key, {
    uses: 'wait',
    ...described(node),
    ...needing(needs),
    with: { approval: { message: expressed(making, node, message) } },
    timeout: parseDuration(timeout) === undefined ? APPROVAL_TIMEOUT : timeout,
    ...(Object.keys(kept).length > 0 ? { metadata: kept } : {}),
  });
  finish(node, (fields) => answer(`tasks.${node.key}.output`, fields));
  return [node.key];
};

/** What Station calls the parts of an answer. */
function answer(cel: string, [first]: readonly string[]): Named {
  if (first === 'result') return { cel, used: 1 };
  if (first === 'status') return { cel: '"approved"', used: 1 };
  if (first === 'decided_by') return { cel: `${cel}.by`, used: 1 };
  if (first === 'decision_reason' || first === 'reason' || first === 'comment')
    return { cel: `${cel}.comment`, used: 1, given: `has(${cel}.comment)` };
  return { cel, used: 0 };
}

/** A timer is a wait for a duration. */
export const makeTimer: Make = (_, node, needs) => {
  const { spec } = node.state;
  const asked = spec.duration || spec.input?.['duration'];
  const duration = (typeof asked === 'string' ? durationOf(asked) : undefined) ?? '0s';
  add(node, needs, { for: duration });
  finish(node, plain(`tasks.${node.key}.output`));
  return [node.key];
};

/** An await is a wait for a signal of the state's name. */
export const makeSignal: Make = (making, node, needs) => {
  const { spec, id } = node.state;
  const names = [spec.input?.['signal'], spec.input?.['event'], id, node.key];
  const [signal = node.key] = names.flatMap((name) => signalNameSchema.safeParse(name).data ?? []);
  making.notes.push(`State "${id}" waits for the signal "${signal}"; Station passes over it.`);
  add(node, needs, { signal });
  finish(node, whole(`tasks.${node.key}.output`, ['result']));
  return [node.key];
};

function add(node: Node, needs: readonly string[], body: unknown): void {
  const timeout = node.state.spec.timeout ? durationOf(node.state.spec.timeout) : undefined;
  const limit = node.state.kind === 'signal' && timeout !== undefined ? { timeout } : {};
  node.graph.scope.add(node.key, { uses: 'wait', ...described(node), ...needing(needs), with: body, ...limit });
}
