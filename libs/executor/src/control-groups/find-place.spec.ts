import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPlace } from './find-place';

/** A picture of a tree: the kernel's own would take what is written, and make files in new folders. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lattice-place-'));
  mkdirSync(path.join(root, 'proc', 'self'), { recursive: true });
  mkdirSync(path.join(root, 'tree'));
});
afterEach(() => rmSync(root, { recursive: true }));

const tree = (...names: string[]) => path.join(root, 'tree', ...names);

function group(folder: string, files: Record<string, string>): void {
  mkdirSync(tree(folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(tree(folder, name), text);
}

function find(cgroup: string, mountinfo: string) {
  writeFileSync(path.join(root, 'proc', 'self', 'cgroup'), cgroup);
  writeFileSync(path.join(root, 'proc', 'self', 'mountinfo'), mountinfo);
  return findPlace('lattice-tasks', 'lattice-worker', path.join(root, 'proc'));
}

const second = () => `29 23 0:26 / ${tree()} rw - cgroup2 cgroup2 rw`;
const first = (...names: string[]) =>
  names.map((name) => `30 29 0:27 / ${tree(name)} rw - cgroup cgroup rw,${name}`).join('\n');

describe('version 1', () => {
  it('has a folder in each tree that limits something', () => {
    for (const name of ['memory', 'pids', 'cpu']) group(`${name}/own`, {});
    const place = find('3:memory:/own\n2:pids:/own\n1:cpu:/own\n0::/x\n', first('memory', 'pids', 'cpu'));
    expect(place).toMatchObject({ version: 1, moved: undefined });
    for (const name of ['memory', 'pids', 'cpu']) expect(existsSync(tree(name, 'own', 'lattice-tasks'))).toBe(true);
  });

  it('makes none when it can not make all', () => {
    group('memory/own', {});
    const place = find('3:memory:/own\n2:pids:/own\n', first('memory', 'pids'));
    expect(place).toMatchObject({ reason: expect.stringContaining('ENOENT') });
    expect(readdirSync(tree('memory', 'own'))).toEqual([]);
  });

  it('needs memory and processes', () => {
    group('memory', {});
    expect(find('3:memory:/\n', first('memory'))).toEqual({ reason: 'this machine has no control groups for pids' });
  });
});

describe('version 2', () => {
  it('says what the group has not', () => {
    group('own', { 'cgroup.controllers': 'cpu io\n' });
    group('', { 'cgroup.controllers': 'cpu memory\n' });
    const place = find('0::/own\n', second());
    expect(place).toEqual({
      reason: `${tree('own')} has no control groups for memory and pids; ${tree()} has no control groups for pids`,
    });
  });

  it('does not move other processes than its own', () => {
    group('slice/own', {
      'cgroup.controllers': 'memory pids\n',
      'cgroup.subtree_control': '\n',
      'cgroup.type': 'domain\n',
      'cgroup.procs': `1\n${process.pid}\n`,
    });
    group('slice', { 'cgroup.controllers': 'memory\n' });
    expect(find('0::/slice/own\n', second())).toMatchObject({
      reason: expect.stringContaining('other processes than the worker (1)'),
    });
    expect(readdirSync(tree('slice', 'own'))).not.toContain('lattice-tasks');
    expect(readFileSync(tree('slice', 'own', 'cgroup.subtree_control'), 'utf8')).toBe('\n');
  });
});

test('without control groups, the reason', () => {
  expect(find('', '')).toEqual({ reason: 'no control groups are mounted' });
  expect(findPlace('a', 'b', path.join(root, 'none'))).toMatchObject({
    reason: expect.stringContaining("can't be read"),
  });
});
