import { randomUUID } from 'node:crypto';
import { compile, mustReadDocument } from '@lattice/flow';
import { clearQueue, readyQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { Flows, isRootGone, type FlowRun } from './flows';

const apart = (key: string, needs: string[] = []): object => ({ [key]: { uses: 'handler/noop', needs } });
const plan = compile(
  mustReadDocument({
    name: 'diamond',
    fuse: false,
    tasks: { ...apart('a'), ...apart('b', ['a']), ...apart('c', ['a']), ...apart('d', ['b', 'c']) },
  }),
);
const behind = plan.segments.flatMap(({ gate }, index) => (gate === null ? [] : [index]));
const newRun = (): FlowRun => ({ runId: randomUUID(), epoch: 1, priority: 0, sha: 'sha' });

let queue: QueueConnection;
let flows: Flows;

beforeEach(async () => {
  queue = await readyQueue();
  flows = new Flows(queue);
});
afterEach(async () => {
  await flows.close();
  await clearQueue(queue);
});

it('adds below the root job, and tells when that is gone', async () => {
  const run = newRun();
  await flows.addRun(run, plan, [0]);
  expect(behind.length).toBeGreaterThan(0);
  await flows.addSegments(run, plan, behind.slice(0, 1));
  const error: unknown = await flows.addSegments(newRun(), plan, behind.slice(0, 1)).catch((reason: unknown) => reason);
  expect(isRootGone(error)).toBe(true);
  expect(isRootGone(new Error('another'))).toBe(false);
});

it('adds many below the root job, so that there are some for workers before the last is made; and tells when that is gone', async () => {
  const keys = Array.from({ length: 350 }, (_, n) => `m${n}`);
  const wide = compile(
    mustReadDocument({
      name: 'wide',
      tasks: { ...apart('a'), ...Object.assign({}, ...keys.map((key) => apart(key, ['a']))) },
    }),
  );
  const first = wide.segments.findIndex(({ gate }) => gate === null);
  const rest = wide.segments.flatMap((_, index) => (index === first ? [] : [index]));
  expect(rest).toHaveLength(350);
  const run = newRun();
  const className = wide.segments[first]?.job.class ?? '';
  await flows.addRun(run, wide, [first]);
  const parts: (readonly number[])[] = [];
  let [begun, waited] = [0, 0];
  const adding = async (part: readonly number[]): Promise<void> => {
    // What is asked here comes to Redis before these are added.
    const asked = queue.redis.zcard(flows.classQueue(className).toKey('prioritized'));
    if (parts.push(part) === 1) waited = await asked;
  };
  await flows.addSegments(run, wide, rest, { adding, begun: () => (begun += 1) });
  expect(begun).toBe(1);
  expect(waited).toBe(1);
  expect(parts.flat()).toEqual(rest);
  expect((await flows.countJobs(className)).waiting).toBe(351);
  await flows.addSegments(run, wide, rest);
  expect((await flows.countJobs(className)).waiting).toBe(351);
  const error: unknown = await flows.addSegments(newRun(), wide, rest).catch((reason: unknown) => reason);
  expect(isRootGone(error)).toBe(true);
});
