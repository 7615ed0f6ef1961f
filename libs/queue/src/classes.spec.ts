import type { ResourceClass } from '@lattice/flow';
import { testQueue } from '../test/test-queue';
import { announceClasses, readClasses, type QueueConnection } from './index';

let queue: QueueConnection;

beforeEach(async () => {
  queue = await testQueue();
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
