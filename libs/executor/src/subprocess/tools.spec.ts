import { threadLimit } from './tools';

test.each([
  [4, 128],
  [16, 512],
  [512, 1_024],
  [2_000, 2_000],
])('the kernel holds %d processes to %d threads', (processes, threads) => expect(threadLimit(processes)).toBe(threads));
