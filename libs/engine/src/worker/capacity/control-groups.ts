import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** What the control groups of this process leave it, at most. CPU in cores, memory in bytes; Infinity where nothing limits it. */
export interface Limits {
  readonly cpu: number;
  readonly memory: number;
}

/** Gives the text of a file, by its absolute path; undefined when it can't be read. */
type Read = (path: string) => string | undefined;

const MOUNT = '/sys/fs/cgroup';
/** Version 1 says "no limit" with the largest multiple of a page that fits 63 bits; no machine has an exbibyte. */
const NO_MEMORY_LIMIT = 2 ** 60;

/**
 * The smallest limits of the groups that this process is in and of the groups around them, of versions 1 and 2 of control
 * groups. Also within a container, which often is told its group by a path of the host that it can't see: then its own group
 * is what it sees as the outermost one. `root`: what stands for `/`. Never throws: a system without control groups has no limits.
 */
export function readLimits(root = '/'): Limits {
  return limitsOf((path) => {
    try {
      return readFileSync(posix.join(root, path), 'utf8');
    } catch {
      return undefined;
    }
  });
}

/** The same, of files that are read by `read`. */
export function limitsOf(read: Read): Limits {
  const groups = parseGroups(read('/proc/self/cgroup') ?? '');
  const memory = [
    ...foldersOf(groups, undefined).map((folder) => parseBytes(read(`${folder}/memory.max`))),
    ...foldersOf(groups, 'memory').map((folder) => parseBytes(read(`${folder}/memory.limit_in_bytes`))),
  ];
  const cpu = [
    ...foldersOf(groups, undefined).map((folder) => parseCores(read(`${folder}/cpu.max`))),
    ...foldersOf(groups, 'cpu').map((folder) =>
      parseCores(`${read(`${folder}/cpu.cfs_quota_us`) ?? ''} ${read(`${folder}/cpu.cfs_period_us`) ?? ''}`),
    ),
  ];
  return { cpu: Math.min(Infinity, ...cpu), memory: Math.min(Infinity, ...memory) };
}

/** A line of /proc/self/cgroup: `4:cpu,cpuacct:/a/b` of version 1, `0::/a/b` of version 2 (no controllers). */
interface Group {
  readonly controllers: readonly string[];
  readonly path: string;
}

function parseGroups(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    return [{ controllers: controllers === '' ? [] : controllers.split(','), path }];
  });
}

/**
 * The folders in which limits of a controller may be: that of the group and those around it, the outermost too when the
 * group is not told. Without a controller those of version 2, which is mounted in `unified` where version 1 has the rest.
 */
function foldersOf(groups: readonly Group[], controller: string | undefined): string[] {
  const group = groups.find(({ controllers }) =>
    controller === undefined ? controllers.length === 0 : controllers.includes(controller),
  );
  const mounts =
    controller === undefined
      ? [MOUNT, `${MOUNT}/unified`]
      : [...new Set([controller, group?.controllers.join(',') ?? controller])].map((name) => `${MOUNT}/${name}`);
  return mounts.flatMap((mount) => upwards(group?.path ?? '/').map((path) => `${mount}${path}`));
}

/** `/a/b` gives `/a/b`, `/a` and nothing. A group outside of what can be seen (`/../x`) is taken as if it were within. */
function upwards(path: string): string[] {
  const own = posix.join('/', path);
  return own === '/' ? [''] : [own, ...upwards(posix.dirname(own))];
}

function parseBytes(text: string | undefined): number {
  const bytes = parseCount(text?.trim());
  return bytes < NO_MEMORY_LIMIT ? bytes : Infinity;
}

/** `QUOTA PERIOD`, both in microseconds: so much time of a core in every period. The quota is `max` or -1 without a limit. */
function parseCores(text: string | undefined): number {
  const [quota, period] = (text ?? '').trim().split(/\s+/);
  const [most, every] = [parseCount(quota), parseCount(period)];
  return most > 0 && every > 0 && every < Infinity ? most / every : Infinity;
}

function parseCount(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : Infinity;
}
