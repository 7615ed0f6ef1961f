import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Shape } from '../subprocess/launcher';
import type { Places, Workspace } from '../workspace';

/** nobody, inside and, when the worker is root, outside too. */
export const NOBODY = 65_534;

const MEBIBYTE = 1024 * 1024;
/** What /tmp holds at most; it is memory, so never more than the task's limit of that. */
const TEMP_BYTES = 512 * MEBIBYTE;
const SHARED_BYTES = 64 * MEBIBYTE;
/** Tell the task about others' keys of the kernel. */
const MASKED = ['/proc/keys', '/proc/key-users', '/proc/timer_list', '/proc/sched_debug'];
/** From the host only when a task has the network. */
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/services', '/etc/gai.conf'];
const KIT_FILES = ['passwd', 'group'];
const OFFLINE_KIT_FILES = ['hosts', 'nsswitch.conf'];

export const INSIDE = {
  kit: '/lattice/kit',
  given: '/lattice/given',
  output: '/lattice/output.json',
  fault: '/lattice/fault.json',
  artifacts: '/lattice/artifacts',
  home: '/tmp/work',
  temp: '/tmp',
  shared: '/dev/shm',
};

/** File descriptors of bubblewrap: where it reports, and where it reads the filter. */
const STATUS = '3';
const FILTER = '4';

export function placesInside(workspace: Workspace): Places {
  return {
    input: `${INSIDE.given}/${path.basename(workspace.input)}`,
    source: `${INSIDE.given}/${path.basename(workspace.source)}`,
    start: `${INSIDE.given}/${path.basename(workspace.start)}`,
    output: INSIDE.output,
    fault: INSIDE.fault,
    files: `${INSIDE.given}/${path.basename(workspace.files)}`,
    artifacts: INSIDE.artifacts,
    home: INSIDE.home,
    temp: INSIDE.temp,
  };
}

/** The part of a sandbox's arguments that all executions of a shape share: namespaces, limits of its file systems, what can be read. */
export function sharedArgs(shape: Shape, view: readonly string[], kit: string): string[] {
  const temp = Math.min(TEMP_BYTES, shape.memoryBytes ?? TEMP_BYTES);
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(shape.network ? [] : ['--unshare-net']),
    ...['--uid', String(NOBODY), '--gid', String(NOBODY), '--hostname', 'lattice', '--cap-drop', 'ALL'],
    // Without a terminal of its own; ended by the kernel when bubblewrap is.
    ...['--new-session', '--die-with-parent', '--json-status-fd', STATUS, '--seccomp', FILTER],
    ...view,
    ...['--ro-bind', kit, INSIDE.kit],
    ...etcFiles(shape.network),
    ...['--proc', '/proc', '--dev', '/dev', '--size', String(SHARED_BYTES), '--tmpfs', INSIDE.shared],
    ...['--remount-ro', '/dev'],
    ...MASKED.flatMap((file) => (existsSync(file) ? ['--ro-bind', '/dev/null', file] : [])),
    ...['--size', String(temp), '--tmpfs', INSIDE.temp, '--dir', INSIDE.home],
    // After /tmp, which may be where it is.
    ...(shape.scripts === undefined ? [] : ['--ro-bind', shape.scripts, shape.scripts]),
  ];
}

/** The rest: the files of one execution, after which nothing of the root can be changed. */
export function ownArgs(workspace: Workspace, folder = INSIDE.home): string[] {
  return [
    ...['--ro-bind', workspace.given, INSIDE.given],
    ...['--bind', workspace.output, INSIDE.output, '--bind', workspace.fault, INSIDE.fault],
    ...['--bind', workspace.artifacts, INSIDE.artifacts],
    ...['--remount-ro', '/', '--chdir', folder, '--'],
  ];
}

function etcFiles(network: boolean): string[] {
  const own = network ? KIT_FILES : [...KIT_FILES, ...OFFLINE_KIT_FILES];
  const words = own.flatMap((name) => ['--symlink', `${INSIDE.kit}/${name}`, `/etc/${name}`]);
  if (!network) return words;
  return [
    ...words,
    ...NETWORK_FILES.flatMap((file) => (existsSync(file) ? ['--ro-bind', realpathSync(file), file] : [])),
  ];
}
