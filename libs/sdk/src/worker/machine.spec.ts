import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { findResources } from './machine';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lattice-machine-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const whole = { cpu: availableParallelism(), memory: totalmem() };

test.each([
  ['no control groups', {}, whole.cpu],
  ['version 2 without a limit', { 'cpu.max': 'max 100000\n' }, whole.cpu],
  ['version 2', { 'cpu.max': '50000 100000\n' }, 0.5],
  ['version 1 without a limit', { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' }, whole.cpu],
  ['version 1', { 'cpu/cpu.cfs_quota_us': '29000\n', 'cpu/cpu.cfs_period_us': '100000\n' }, 0.29],
  ['a limit above the machine', { 'cpu.max': '99000000 1000\n' }, whole.cpu],
  ['a limit that is hardly one', { 'cpu.max': '10 100000\n' }, 0.01],
  ['something else', { 'cpu.max': 'what\n', 'cpu/cpu.cfs_quota_us': 'is this' }, whole.cpu],
])('cores with %s', (_name, files, cpu) => {
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, 'sys/fs/cgroup', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(findResources(root)).toMatchObject({ cpu });
});

test('memory is what the container leaves, and never more than the machine has', () => {
  expect(findResources(root, 256_000_000).memory).toBe(256_000_000);
  expect([0, 2 ** 64].map((constrained) => findResources(root, constrained).memory)).toEqual([
    whole.memory,
    whole.memory,
  ]);
});
