import { groupsOf, mountsOf } from './hierarchies';

const SECOND = '29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const FIRST = [
  '30 29 0:27 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory',
  '31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct',
  '32 29 0:29 / /sys/fs/cgroup/pids rw shared:7 - cgroup cgroup rw,pids',
  '33 29 0:30 / /sys/fs/cgroup/systemd rw shared:8 - cgroup cgroup rw,name=systemd',
].join('\n');

const groups = (cgroup: string, mountinfo: string) =>
  groupsOf(cgroup, mountsOf(mountinfo)).map(({ version, folder, controllers }) => [
    version,
    folder,
    controllers.join(),
  ]);

test('version 2: one tree', () => {
  expect(groups('0::/a.slice/b.service\n', SECOND)).toEqual([[2, '/sys/fs/cgroup/a.slice/b.service', '']]);
});

test('version 1: a tree for each controller, some together, and others that limit nothing of a task', () => {
  const text = '4:memory:/jobs\n3:cpu,cpuacct:/\n2:pids:/jobs\n1:name=systemd:/x\n0::/x\n';
  expect(groups(text, FIRST)).toEqual([
    [1, '/sys/fs/cgroup/memory/jobs', 'memory'],
    [1, '/sys/fs/cgroup/cpu,cpuacct', 'cpu'],
    [1, '/sys/fs/cgroup/pids/jobs', 'pids'],
  ]);
});

test('a container of version 1 that is told its group by a path of the host', () => {
  const mount = '40 29 0:27 /docker/0f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory';
  expect(groups('4:memory:/docker/0f\n', mount)).toEqual([[1, '/sys/fs/cgroup/memory', 'memory']]);
});

test('a group outside of what is seen can not be had', () => {
  expect(groups('0::/../other\n', SECOND)).toEqual([]);
  expect(groups('4:memory:/b\n', '40 29 0:27 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory')).toEqual([]);
});

test('a mount with a space in its path', () => {
  expect(groups('0::/\n', SECOND.replace('/sys/fs/cgroup', '/with\\040space'))).toEqual([[2, '/with space', '']]);
});

test('nothing that is mounted, and nonsense', () => {
  expect(groups('0::/\n', '')).toEqual([]);
  expect(groups('what\n\n', 'is this\n')).toEqual([]);
});
