import path from 'node:path';

/** What the kernel can hold a group of processes to. */
export const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** A tree of control groups, from a folder on. */
export interface Tree {
  readonly folder: string;
  readonly controllers: readonly Controller[];
}

/** The group that a process is in, of one tree. */
export interface OwnGroup extends Tree {
  readonly version: 1 | 2;
  /** Folder of the outermost group that can be seen. */
  readonly mount: string;
}

interface Mount {
  readonly version: 1 | 2;
  readonly folder: string;
  /** The group that is seen as the outermost one. */
  readonly root: string;
  /** Of version 1; in version 2 each group says which it has. */
  readonly controllers: readonly string[];
}

/** The mounted trees, in the text of /proc/PID/mountinfo. */
export function mountsOf(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const match = /^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line);
    if (match === null) return [];
    const [, root = '/', folder = '', type, options = ''] = match;
    const controllers = type === 'cgroup2' ? [] : options.split(',');
    return [{ version: type === 'cgroup2' ? 2 : 1, folder: unescape(folder), root: unescape(root), controllers }];
  });
}

/** The groups of a process that can be seen, by the text of /proc/PID/cgroup: `4:cpu,cpuacct:/a` of version 1, `0::/a` of version 2. */
export function groupsOf(text: string, mounts: readonly Mount[]): OwnGroup[] {
  return text.split('\n').flatMap((line) => {
    const [, names, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || group === undefined) return [];
    const version = names === '' ? 2 : 1;
    const controllers = CONTROLLERS.filter((one) => names.split(',').includes(one));
    const mount = mounts.find(
      (one) => one.version === version && (version === 2 || controllers.some((name) => one.controllers.includes(name))),
    );
    if (mount === undefined) return [];
    const below = path.posix.relative(mount.root, group);
    // A group outside of what is seen can't be had.
    if (below.split('/').includes('..') || group.split('/').includes('..')) return [];
    return [{ version, folder: path.join(mount.folder, below), mount: mount.folder, controllers }];
  });
}

/** The kernel writes a space in a path as \040. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
