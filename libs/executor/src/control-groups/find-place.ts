import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../thrown';
import { CONTROLLERS, groupsOf, mountsOf, type Controller, type OwnGroup, type Tree } from './hierarchies';

/** Without these there is no place; a share of the processors is not everywhere to be had, and not needed. */
const NEEDED: readonly Controller[] = ['memory', 'pids'];

/** Where this worker may make control groups: a folder of its own in each tree, in which each execution has a group. */
export interface Place {
  readonly version: 1 | 2;
  readonly trees: readonly Tree[];
  /** Of version 2: the group that the worker itself had to move to, as where there are processes there can be no groups with limits. */
  readonly moved: string | undefined;
}

/** Where nothing can be had, the reason. */
export type Found = Place | { readonly reason: string };

/**
 * Makes the folders, named `name`, if this worker may make groups with limits anywhere: within its own group, or (version 2) beside
 * it. `leaf` is the name of the group that the worker moves to where it must. `proc` stands for /proc.
 */
export function findPlace(name: string, leaf: string, proc = '/proc'): Found {
  let own: readonly OwnGroup[];
  try {
    own = groupsOf(
      readFileSync(`${proc}/self/cgroup`, 'utf8'),
      mountsOf(readFileSync(`${proc}/self/mountinfo`, 'utf8')),
    );
  } catch (error) {
    return { reason: `control groups can't be read: ${messageOf(error)}` };
  }
  const first = own.filter(({ version, controllers }) => version === 1 && controllers.length > 0);
  const second = own.find(({ version }) => version === 2);
  try {
    // Who has limits in version 1 has none of them in version 2.
    if (first.some(({ controllers }) => controllers.includes('memory'))) return placeOfTrees(first, name);
    if (second === undefined) throw new Error('no control groups are mounted');
    return placeInOneTree(second, name, leaf);
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/** Version 1: a tree for each limit. Throws with the reason. */
function placeOfTrees(groups: readonly OwnGroup[], name: string): Place {
  const there = groups.flatMap(({ controllers }) => controllers);
  mustHave(there, 'this machine');
  const trees = groups.map(({ folder, controllers }) => ({ folder: path.join(folder, name), controllers }));
  const made: string[] = [];
  try {
    for (const { folder } of trees) {
      mkdirSync(folder);
      made.push(folder);
    }
  } catch (error) {
    for (const folder of made) rmdirSync(folder);
    throw error;
  }
  return { version: 1, trees, moved: undefined };
}

/** Version 2. Throws with the reasons. */
function placeInOneTree({ folder, mount }: OwnGroup, name: string, leaf: string): Place {
  const reasons: string[] = [];
  for (const parent of folder === mount ? [folder] : [folder, path.dirname(folder)]) {
    try {
      return placeIn(parent, { name, leaf, isOwn: parent === folder, isOutermost: parent === mount });
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new Error(reasons.join('; '));
}

interface Candidate {
  readonly name: string;
  readonly leaf: string;
  /** The group that the worker is in. */
  readonly isOwn: boolean;
  /** Of what is seen: in a container, all of its processes are in there. */
  readonly isOutermost: boolean;
}

function placeIn(parent: string, candidate: Candidate): Place {
  mustHave(wordsOf(parent, 'cgroup.controllers'), parent);
  const folder = path.join(parent, candidate.name);
  mkdirSync(folder);
  let moved: string | undefined;
  try {
    // Who moves a process must be allowed to write there, where both groups begin.
    accessSync(path.join(parent, 'cgroup.procs'), constants.W_OK);
    if (!handsOn(parent)) moved = handOn(parent, candidate);
    const controllers = CONTROLLERS.filter((one) => wordsOf(folder, 'cgroup.controllers').includes(one));
    enable(folder, controllers);
    return { version: 2, trees: [{ folder, controllers }], moved };
  } catch (error) {
    rmdirSync(folder);
    if (moved !== undefined) moveBack(moved);
    throw error;
  }
}

/** Lets the groups in this one have limits. Returns the group the worker has moved to for that, if it had to. */
function handOn(parent: string, { leaf, isOwn, isOutermost }: Candidate): string | undefined {
  if (!isOwn) throw new Error(`${parent} hands no limits on`);
  const controllers = CONTROLLERS.filter((one) => wordsOf(parent, 'cgroup.controllers').includes(one));
  // The root of the whole tree may have both, processes and groups with limits.
  if (!existsSync(path.join(parent, 'cgroup.type'))) {
    enable(parent, controllers);
    return undefined;
  }
  const others = pidsOf(parent).filter((pid) => !isOurs(pid));
  if (others.length > 0 && !isOutermost) {
    throw new Error(`${parent} has other processes than the worker (${others.slice(0, 3).join(', ')})`);
  }
  const folder = path.join(parent, leaf);
  mkdirSync(folder, { recursive: true });
  try {
    movePids(parent, folder);
    enable(parent, controllers);
    return folder;
  } catch (error) {
    moveBack(folder);
    throw error;
  }
}

/** Undoes the move: the worker is where it was. */
export function moveBack(leaf: string): void {
  const parent = path.dirname(leaf);
  try {
    const enabled = wordsOf(parent, 'cgroup.subtree_control');
    if (enabled.length > 0) {
      writeFileSync(path.join(parent, 'cgroup.subtree_control'), enabled.map((one) => `-${one}`).join(' '));
    }
    movePids(leaf, parent);
    rmdirSync(leaf);
  } catch {
    // Another executor of this process has its place in there; whoever is the last does it.
  }
}

function mustHave(there: readonly string[], where: string): void {
  const missing = NEEDED.filter((one) => !there.includes(one));
  if (missing.length > 0) throw new Error(`${where} has no control groups for ${missing.join(' and ')}`);
}

function movePids(from: string, to: string): void {
  // A process that is started meanwhile is where its parent is.
  for (let left = pidsOf(from), round = 0; left.length > 0 && round < 10; left = pidsOf(from), round++) {
    for (const pid of left) writeFileSync(path.join(to, 'cgroup.procs'), String(pid));
  }
}

/** This process, or one that descends from it. */
function isOurs(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return parent > 1 && isOurs(parent);
  } catch {
    // It has ended.
    return true;
  }
}

function handsOn(folder: string): boolean {
  const enabled = wordsOf(folder, 'cgroup.subtree_control');
  return NEEDED.every((one) => enabled.includes(one));
}

function enable(folder: string, controllers: readonly string[]): void {
  writeFileSync(path.join(folder, 'cgroup.subtree_control'), controllers.map((one) => `+${one}`).join(' '));
}

function pidsOf(folder: string): number[] {
  return wordsOf(folder, 'cgroup.procs').map(Number);
}

function wordsOf(folder: string, file: string): string[] {
  const text = readFileSync(path.join(folder, file), 'utf8').trim();
  return text === '' ? [] : text.split(/\s+/);
}
