import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { limitsOf, readLimits } from './control-groups';

const SELF = '/proc/self/cgroup';
const MOUNT = '/sys/fs/cgroup';
const NO_LIMIT = '9223372036854771712\n';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lattice-groups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Makes the files below the root, and reads them as if it were `/`. */
function limitsIn(files: Record<string, string>): { cpu: number; memory: number } {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readLimits(root);
}

const table: Record<string, { files: Record<string, string>; cpu?: number; memory?: number }> = {
  'no control groups at all': { files: {} },
  'a container with version 2, alone in its view': {
    files: {
      [SELF]: '0::/\n',
      [`${MOUNT}/memory.max`]: '268435456\n',
      [`${MOUNT}/cpu.max`]: '50000 100000\n',
    },
    cpu: 0.5,
    memory: 268_435_456,
  },
  'version 2 without limits': {
    files: { [SELF]: '0::/\n', [`${MOUNT}/memory.max`]: 'max\n', [`${MOUNT}/cpu.max`]: 'max 100000\n' },
  },
  'a service of systemd within a slice: the least of each counts': {
    files: {
      [SELF]: '0::/a.slice/b.service\n',
      [`${MOUNT}/a.slice/memory.max`]: '1000\n',
      [`${MOUNT}/a.slice/cpu.max`]: 'max 100000\n',
      [`${MOUNT}/a.slice/b.service/memory.max`]: '2000\n',
      [`${MOUNT}/a.slice/b.service/cpu.max`]: '150000 100000\n',
      [`${MOUNT}/other.service/memory.max`]: '1\n',
    },
    cpu: 1.5,
    memory: 1000,
  },
  'a container with version 1 that is told its group by a path of the host': {
    files: {
      [SELF]: '4:memory:/docker/0f\n1:cpu:/docker/0f\n0::/docker/0f\n',
      [`${MOUNT}/memory/memory.limit_in_bytes`]: '268435456\n',
      [`${MOUNT}/cpu/cpu.cfs_quota_us`]: '50000\n',
      [`${MOUNT}/cpu/cpu.cfs_period_us`]: '100000\n',
    },
    cpu: 0.5,
    memory: 268_435_456,
  },
  'version 1 with controllers mounted together, on the host': {
    files: {
      [SELF]: '4:memory:/jobs/one\n3:cpu,cpuacct:/jobs/one\n',
      [`${MOUNT}/memory/memory.limit_in_bytes`]: NO_LIMIT,
      [`${MOUNT}/memory/jobs/memory.limit_in_bytes`]: '4096\n',
      [`${MOUNT}/memory/jobs/one/memory.limit_in_bytes`]: NO_LIMIT,
      [`${MOUNT}/cpu,cpuacct/jobs/one/cpu.cfs_quota_us`]: '300000\n',
      [`${MOUNT}/cpu,cpuacct/jobs/one/cpu.cfs_period_us`]: '100000\n',
    },
    cpu: 3,
    memory: 4096,
  },
  'version 1 without limits': {
    files: {
      [SELF]: '4:memory:/\n1:cpu:/\n',
      [`${MOUNT}/memory/memory.limit_in_bytes`]: NO_LIMIT,
      [`${MOUNT}/cpu/cpu.cfs_quota_us`]: '-1\n',
      [`${MOUNT}/cpu/cpu.cfs_period_us`]: '100000\n',
    },
  },
  'memory by version 1, CPU by version 2 beside it': {
    files: {
      [SELF]: '4:memory:/x\n0::/x\n',
      [`${MOUNT}/memory/x/memory.limit_in_bytes`]: '8192\n',
      [`${MOUNT}/unified/x/cpu.max`]: '25000 50000\n',
    },
    cpu: 0.5,
    memory: 8192,
  },
  'groups that are not told: what is seen as the outermost counts': {
    files: { [`${MOUNT}/memory.max`]: '4096', [`${MOUNT}/cpu/cpu.cfs_quota_us`]: '1', ...{ [SELF]: 'what\nis:this' } },
    memory: 4096,
  },
  'a group outside of what is seen': {
    files: { [SELF]: '0::/../../etc\n', '/sys/etc/memory.max': '1\n', [`${MOUNT}/memory.max`]: '4096\n' },
    memory: 4096,
  },
};

test.each(Object.entries(table))('%s', (_name, { files, cpu = Infinity, memory = Infinity }) => {
  expect(limitsIn(files)).toEqual({ cpu, memory });
});

test('of groups within each other the least limit counts, whichever has it', () => {
  const limit = fc.option(fc.integer({ min: 1, max: 2 ** 50 }), { nil: undefined });
  const names = fc.array(fc.stringMatching(/^[a-z0-9._-]*[a-z0-9]$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(names, fc.array(limit, { maxLength: 6 }), fc.boolean(), (path, limits, second) => {
      const [mount, file] = second ? [MOUNT, 'memory.max'] : [`${MOUNT}/memory`, 'memory.limit_in_bytes'];
      const files = new Map([[SELF, second ? `0::/${path.join('/')}\n` : `7:memory:/${path.join('/')}\n`]]);
      const set = limits.slice(0, path.length + 1);
      set.forEach((bytes, depth) => {
        const none = second ? 'max' : NO_LIMIT.trim();
        files.set([mount, ...path.slice(0, depth), file].join('/'), `${bytes ?? none}\n`);
      });
      const least = Math.min(Infinity, ...set.map((bytes) => bytes ?? Infinity));
      expect(limitsOf((name) => files.get(name))).toEqual({ cpu: Infinity, memory: least });
    }),
  );
});

test('whatever the files say, limits are above 0 or there is none', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (groups, cpu, memory) => {
      const found = limitsOf((name) => (name === SELF ? groups : name.includes('cpu') ? cpu : memory));
      expect(found.cpu).toBeGreaterThan(0);
      expect(found.memory).toBeGreaterThanOrEqual(0);
    }),
  );
});
