import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadLimit } from '../subprocess/tools';
import type { Place } from './find-place';
import type { Controller } from './hierarchies';

const MEBIBYTE = 1024 * 1024;
const PERIOD_MICROSECONDS = 100_000;
/** What the kernel takes as a share of the processors. */
const LEAST_QUOTA = 1_000;
/**
 * The kernel holds a task so much above its limit of memory, a 16th or this, whichever is more. What comes to the limit slowly is then seen by
 * the samples and told with what it used, before the kernel only finds room by throwing away pages of running programs, again and again.
 */
const LEAST_MARGIN = 8 * MEBIBYTE;
const MARGIN_SHARE = 16;
/** A group is removed once its processes are gone, which are told to go: milliseconds between two tries, and how many. */
const REMOVE_MS = 2;
const REMOVE_ROUNDS = 250;

/** The processes of one execution, as a group that the kernel holds to limits. */
export interface ControlGroup {
  /** Moves a process into the group, with all that descend from it. `lives`: whether the pid is still that process. Does not reject. */
  take(pid: number, lives: () => boolean): Promise<void>;
  /** Processors, fractions allowed; undefined: no limit. */
  limitCpu(cpu: number | undefined): void;
  /** Whether the kernel ended something in it because of the group's own limit of memory. */
  ranOutOfMemory(): boolean;
  /** The most memory it had; undefined where the kernel does not tell. */
  peakBytes(): number | undefined;
  /** Ends what is in it, and removes it. Does not reject; may be called again. */
  remove(): Promise<void>;
}

/** What is known of an execution before its task is. */
export interface GroupLimits {
  readonly memoryBytes?: number | undefined;
  readonly processes?: number | undefined;
}

/** Makes the group; throws where it can't. `inTurn` runs moves one after the other: each may have to wait for the kernel, in a thread of few. */
export function openGroup(
  place: Place,
  name: string,
  limits: GroupLimits,
  inTurn: (move: () => Promise<void>) => Promise<void>,
): ControlGroup {
  const folders = place.trees.map(({ folder }) => path.join(folder, name));
  const folderOf = (controller: Controller): string | undefined => {
    const tree = place.trees.find(({ controllers }) => controllers.includes(controller));
    return tree === undefined ? undefined : path.join(tree.folder, name);
  };
  const first = place.version === 1;
  try {
    for (const folder of folders) mkdirSync(folder);
    limitMemory(folderOf('memory'), limits.memoryBytes, first);
    limitPids(folderOf('pids'), limits.processes);
  } catch (error) {
    for (const folder of folders) void removeGroup(folder);
    throw error;
  }
  return {
    take: (pid, lives) => inTurn(async () => (lives() ? move(pid, folders) : undefined)),
    limitCpu: (cpu) => limitCpu(folderOf('cpu'), cpu, first),
    ranOutOfMemory: () => ranOutOfMemory(folderOf('memory'), first),
    peakBytes: () => peakBytes(folderOf('memory'), first),
    async remove() {
      await Promise.all(folders.map(removeGroup));
    },
  };
}

/** What the kernel holds a task of that limit to. */
export function boundOf(memoryBytes: number): number {
  return memoryBytes + Math.max(LEAST_MARGIN, Math.ceil(memoryBytes / MARGIN_SHARE));
}

function limitMemory(folder: string | undefined, memoryBytes: number | undefined, first: boolean): void {
  if (folder === undefined || memoryBytes === undefined) return;
  const bytes = String(boundOf(memoryBytes));
  if (first) {
    write(folder, 'memory.limit_in_bytes', bytes);
    // With what is swapped out; there where the kernel counts that.
    if (existsSync(path.join(folder, 'memory.memsw.limit_in_bytes')))
      write(folder, 'memory.memsw.limit_in_bytes', bytes);
    return;
  }
  write(folder, 'memory.max', bytes);
  if (existsSync(path.join(folder, 'memory.swap.max'))) write(folder, 'memory.swap.max', '0');
  write(folder, 'memory.oom.group', '1');
}

/** The kernel counts threads. */
function limitPids(folder: string | undefined, processes: number | undefined): void {
  if (folder === undefined || processes === undefined) return;
  write(folder, 'pids.max', String(threadLimit(processes)));
}

function limitCpu(folder: string | undefined, cpu: number | undefined, first: boolean): void {
  if (folder === undefined || cpu === undefined) return;
  const quota = Math.max(LEAST_QUOTA, Math.round(cpu * PERIOD_MICROSECONDS));
  if (first) {
    write(folder, 'cpu.cfs_period_us', String(PERIOD_MICROSECONDS));
    write(folder, 'cpu.cfs_quota_us', String(quota));
  } else write(folder, 'cpu.max', `${quota} ${PERIOD_MICROSECONDS}`);
}

/** Not by the limit of a group around this one: that is another's doing. */
function ranOutOfMemory(folder: string | undefined, first: boolean): boolean {
  if (folder === undefined) return false;
  try {
    const events = readFileSync(path.join(folder, first ? 'memory.oom_control' : 'memory.events'), 'utf8');
    if (numberOf(events, 'oom_kill') === 0) return false;
    return first ? cameToItsLimit(folder) : numberOf(events, 'oom') > 0;
  } catch {
    return false;
  }
}

function peakBytes(folder: string | undefined, first: boolean): number | undefined {
  if (folder === undefined) return undefined;
  try {
    return Number(readFileSync(path.join(folder, first ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** In version 1 not every kernel counts how often that was. */
function cameToItsLimit(folder: string): boolean {
  const [most, limit] = ['memory.max_usage_in_bytes', 'memory.limit_in_bytes'].map((file) =>
    Number(readFileSync(path.join(folder, file), 'utf8')),
  );
  return most !== undefined && limit !== undefined && most > limit - MEBIBYTE;
}

function numberOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** A child of one that was moved is born inside, so only what was there before has to be looked for. */
async function move(pid: number, folders: readonly string[], moved = new Set<number>()): Promise<void> {
  if (moved.has(pid)) return;
  moved.add(pid);
  try {
    for (const folder of folders) await writeFile(path.join(folder, 'cgroup.procs'), String(pid), { flag: 'r+' });
  } catch {
    // It has ended, or the group was removed.
    return;
  }
  for (const child of childrenOf(pid)) await move(child, folders, moved);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(' ').map(Number);
    });
  } catch {
    return [];
  }
}

/** Ends what is in the group, and removes it; what the kernel does not let go within half a second is left to the next start's reaping. */
export async function removeGroup(folder: string): Promise<void> {
  for (let round = 0; round < REMOVE_ROUNDS && existsSync(folder); round++) {
    endAll(folder);
    try {
      await rmdir(folder);
    } catch {
      await sleep(REMOVE_MS);
    }
  }
}

/** Since Linux 5.14 the kernel does it at once, in version 2. */
function endAll(folder: string): void {
  try {
    const pids = readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').trim();
    if (pids === '') return;
    if (existsSync(path.join(folder, 'cgroup.kill'))) return write(folder, 'cgroup.kill', '1');
    // Of a process in a namespace that can't be seen the kernel says 0, which would be this worker's own group.
    for (const pid of pids.split('\n').map(Number)) if (pid > 0) kill(pid);
  } catch {
    // It has ended by itself.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The files are there: one that is not must not be made. */
function write(folder: string, file: string, text: string): void {
  writeFileSync(path.join(folder, file), text, { flag: 'r+' });
}
