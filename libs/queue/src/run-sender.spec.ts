import { randomUUID } from 'node:crypto';
import { compile, mustReadDocument } from '@lattice/flow';
import { clearQueue, readyQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { Flows, type FlowRun } from './flows';
import { RunSender, type PreparedRun } from './run-sender';

const plan = compile(
  mustReadDocument({
    name: 'two',
    fuse: false,
    tasks: { a: { uses: 'handler/noop' }, b: { uses: 'handler/noop', needs: ['a'] } },
  }),
);
const CLASS = plan.segments[0]?.job.class ?? '';
const newRun = (): FlowRun => ({ runId: randomUUID(), epoch: 1, priority: 0, sha: 'sha' });

let queue: QueueConnection;
let flows: Flows;
let sender: RunSender;

beforeEach(async () => {
  queue = await readyQueue();
  flows = new Flows(queue);
  sender = new RunSender(queue);
});
afterEach(async () => {
  await sender.close();
  await flows.close();
  await clearQueue(queue);
});

function prepared(run: FlowRun): PreparedRun {
  const found = sender.prepare(run, plan, [0]);
  if (found === undefined) throw new Error('they are too many');
  return found;
}

const jobs = async (): Promise<number> => {
  const { waiting, active, delayed } = await flows.countJobs(CLASS);
  return waiting + active + delayed;
};

it('adds the jobs and wakes the workers; sent again it adds nothing', async () => {
  const heard: string[] = [];
  await queue.bus.subscribe('ready', { onMessage: (message) => heard.push(message) });
  const run = newRun();
  await prepared(run).send([CLASS]);
  expect(await jobs()).toBe(1);
  await prepared(run).send([CLASS]);
  expect(await jobs()).toBe(1);
  expect(heard).toEqual([JSON.stringify([CLASS]), JSON.stringify([CLASS])]);
});

it('sends nothing before it is told, and nothing of what is dropped', async () => {
  const one = prepared(newRun());
  const other = prepared(newRun());
  expect(await jobs()).toBe(0);
  one.drop();
  await other.send([CLASS]);
  expect(await jobs()).toBe(1);
});

it('tells when Redis does not take them', async () => {
  const run = newRun();
  await queue.redis.set(`${queue.keys.prefix}:runs:${run.runId}.1`, 'not a hash');
  await expect(prepared(run).send([CLASS])).rejects.toThrow('WRONGTYPE');
});

it('leaves a run that is too large for one transaction to others', () => {
  const segments = Array.from({ length: 501 }, (_, n) => n);
  expect(sender.prepare(newRun(), plan, segments)).toBeUndefined();
});
