import { randomUUID } from 'node:crypto';
import type { ResourceClass } from '@lattice/flow';
import { announceClasses, openQueue, readClasses, type QueueConnection } from './index';

let queue: QueueConnection;

beforeEach(async () => {
  const redisUrl = process.env['REDIS_URL'];
  if (redisUrl === undefined) throw new Error('These tests need Redis: run `npm test`, or set REDIS_URL.');
  queue = await openQueue({ redisUrl, prefix: `{test:${randomUUID()}}`, name: 'test', onError: () => undefined });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await queue.redis.del(queue.keys.classes);
  await queue.close();
});

const one: ResourceClass = {
  name: 'handler.one',
  uses: 'handler',
  handler: 'one',
  need: { cpu: 0, memory: 0, gpu: 0, gpuMemory: 0 },
  rules: {},
};

it('classes that Redis lost without this process being told are announced again', async () => {
  await announceClasses(queue, [one]);
  expect(await readClasses(queue)).toEqual([one]);
  await queue.redis.del(queue.keys.classes);
  await announceClasses(queue, [one]);
  expect(await readClasses(queue)).toEqual([]);
  const later = Date.now() + 31_000;
  jest.spyOn(Date, 'now').mockReturnValue(later);
  await announceClasses(queue, [one]);
  expect(await readClasses(queue)).toEqual([one]);
});
