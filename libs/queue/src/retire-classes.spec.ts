import type { ResourceClass } from '@lattice/flow';
import { Queue } from 'bullmq';
import { clearQueue, readyQueue } from '../test/test-queue';
import { Absences } from './absences';
import { announceClasses, classNames, retireClasses, type QueueConnection } from './index';

const HOUR = 3_600_000;
let queue: QueueConnection;

beforeEach(async () => {
  queue = await readyQueue();
});
afterEach(() => clearQueue(queue));

const classOf = (name: string): ResourceClass => ({
  name,
  uses: 'handler',
  handler: name,
  need: { cpu: 0, memory: 0, gpu: 0, gpuMemory: 0 },
  rules: {},
});

/** Announces a class so many hours ago. */
async function announced(name: string, hoursAgo: number): Promise<void> {
  await announceClasses(queue, [classOf(name)]);
  await queue.redis.zadd(queue.keys.announced, Date.now() - hoursAgo * HOUR, name);
}

const retire = () => retireClasses(queue, { before: Date.now() - 24 * HOUR, version: 1 });

test('a class that nobody used for long goes with its queue; one with jobs, or used lately, stays', async () => {
  await announced('old', 25);
  await announced('busy', 25);
  await announced('done', 25);
  await announced('new', 1);
  for (const name of ['old', 'busy', 'done']) {
    const jobs = new Queue(name, { connection: queue.redis, prefix: queue.keys.prefix });
    const job = await jobs.add('job', {}, { jobId: `job-${name}`, priority: 10 });
    if (name === 'old') await job.remove();
    if (name === 'done') {
      // Its run goes on: the job that is done keeps it from being added again.
      await queue.redis.zrem(`${queue.keys.prefix}:done:prioritized`, job.id ?? '');
      await queue.redis.zadd(`${queue.keys.prefix}:done:completed`, 1, job.id ?? '');
    }
    await jobs.close();
  }
  expect(await retire()).toEqual(['old']);
  expect((await classNames(queue)).sort()).toEqual(['busy', 'done', 'new']);
  expect(await queue.redis.keys(`${queue.keys.prefix}:old:*`)).toEqual([]);
  expect(await retire()).toEqual([]);
});

test('the time of a class of which nobody said when it was announced begins with the first look', async () => {
  await announced('older', 0);
  await queue.redis.del(queue.keys.announced);
  expect(await retire()).toEqual([]);
  expect(Number(await queue.redis.zscore(queue.keys.announced, 'older'))).toBeGreaterThan(Date.now() - HOUR);
});

test('a class is given up that was missing for long without a break', () => {
  const absences = new Absences(100);
  const served = ['a', 'b'];
  expect(absences.look(served, new Set(['a']), 0)).toEqual([]);
  expect(absences.look(served, new Set(['a', 'b']), 90)).toEqual([]);
  expect(absences.look(served, new Set(['a']), 110)).toEqual([]);
  expect(absences.look(served, new Set(['a']), 209)).toEqual([]);
  expect(absences.look(served, new Set(['a']), 210)).toEqual(['b']);
  absences.forget('b');
  expect(absences.look(['a'], new Set([]), 220)).toEqual([]);
});
