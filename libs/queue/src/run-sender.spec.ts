import { randomUUID } from 'node:crypto';
import { compile, mustReadDocument } from '@lattice/flow';
import { clearQueue, readyQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { Flows, type FlowRun } from './flows';
import { createRun, forgetEpoch, readHead } from './index';
import { RunSender, type PreparedRun } from './run-sender';
import { readStream } from './stream';

const plan = compile(
  mustReadDocument({
    name: 'two',
    fuse: false,
    tasks: { a: { uses: 'handler/noop' }, b: { uses: 'handler/noop', needs: ['a'] } },
  }),
);
const CLASS = plan.segments[0]?.job.class ?? '';
const made = { sha: 'sha', version: plan.version, inputsJson: '{}', left: 2, onFailure: 'cancel', priority: 0 };
const newRun = (): FlowRun => ({ runId: randomUUID(), epoch: 1, priority: 0, sha: 'sha' });

let queue: QueueConnection;
let flows: Flows;
let sender: RunSender;

beforeEach(async () => {
  queue = await readyQueue();
  flows = new Flows(queue);
  sender = new RunSender(queue);
  await createRun(queue, newRun(), made);
});
afterEach(async () => {
  await sender.close();
  await flows.close();
  await clearQueue(queue);
});

function prepared(run: FlowRun): PreparedRun {
  const found = sender.prepare(run, plan, [0]);
  if (found === undefined) throw new Error('it cannot be sent in one trip');
  return found;
}

const jobs = async (): Promise<number> => {
  const { waiting, active, delayed } = await flows.countJobs(CLASS);
  return waiting + active + delayed;
};

it('makes the run, adds its jobs and wakes the workers; sent again it changes nothing', async () => {
  const heard: string[] = [];
  await queue.bus.subscribe('ready', { onMessage: (message) => heard.push(message) });
  const run = newRun();
  expect(await prepared(run).send(made, [CLASS])).toBe('created');
  expect(await readHead(queue, run.runId)).toMatchObject({ state: 'running', epoch: 1 });
  expect(await jobs()).toBe(1);
  const again = sender.prepare(run, plan, [0]);
  expect(await again?.send(made, [CLASS])).toBe('exists');
  expect(await jobs()).toBe(1);
  expect(heard).toEqual([JSON.stringify([CLASS]), JSON.stringify([CLASS])]);
  const entries = await readStream(queue.redis, queue, { afterId: '0-0', count: 1_000, blockMs: 1 });
  expect(entries.filter(({ runId }) => runId === run.runId).map(({ type }) => type)).toEqual(['run.started']);
});

it('sends nothing before it is told, and nothing of what is dropped', async () => {
  const [first, second] = [newRun(), newRun()];
  const one = prepared(first);
  const other = prepared(second);
  expect(await jobs()).toBe(0);
  one.drop();
  expect(await other.send(made, [CLASS])).toBe('created');
  expect(await jobs()).toBe(1);
  expect(await readHead(queue, first.runId)).toBeUndefined();
});

it('tells when the guard forbids the run', async () => {
  const late = newRun();
  expect(await prepared(late).send({ ...made, guard: { notAfter: 1 } }, [CLASS])).toBe('late');
  expect(await readHead(queue, late.runId)).toBeUndefined();
  const early = newRun();
  await forgetEpoch(queue);
  expect(await prepared(early).send({ ...made, guard: { notAfter: Date.now() + 60_000 } }, [CLASS])).toBe(
    'uninitialised',
  );
});

it('prepares nothing until Redis is known to have the scripts, and not right after a failure', async () => {
  const fresh = new RunSender({ ...queue, redis: queue.duplicate('fresh') });
  expect(fresh.prepare(newRun(), plan, [0])).toBeUndefined();
  await fresh.close();
  const broken = newRun();
  await queue.redis.set(queue.keys.run(broken.runId), 'not a hash');
  await expect(prepared(broken).send(made, [CLASS])).rejects.toThrow('WRONGTYPE');
  expect(sender.prepare(newRun(), plan, [0])).toBeUndefined();
  await createRun(queue, newRun(), made);
  expect(await prepared(newRun()).send(made, [CLASS])).toBe('created');
});
