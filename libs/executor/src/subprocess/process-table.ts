import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { OWNER_VARIABLE } from '../owner';

/** The processes of one execution, wherever they have gone. */
export interface ProcessTree {
  /** The value of LATTICE_OWNER in the environment of its processes. */
  readonly token: string;
  /** Leader of the process group and session that the execution began as. */
  readonly leader: number;
  /** As of the last scan: pid -> the process. Always empty where there is no /proc. */
  readonly members: ReadonlyMap<number, Member>;
}

interface Member {
  startTime: string;
  /** Resident bytes, shared pages included. */
  rssBytes: number;
}

export interface ProcessTable {
  track(token: string, leader: number): ProcessTree;
  untrack(tree: ProcessTree): void;
  /**
   * Looks at the processes of the machine and puts those of each execution into its members. Returns how many could not be told:
   * one that is just replacing its program has no environment for a moment.
   */
  scan(): number;
}

interface Stat {
  pid: number;
  state: string;
  parent: number;
  group: number;
  session: number;
  startTime: string;
  rssBytes: number;
}

interface Tracked extends ProcessTree {
  members: Map<number, Member>;
}

interface Found {
  readonly stat: Stat;
  readonly tree: Tracked;
}

/** How long a process known to be no one's is not looked at again: less than the kernel takes to come back to a pid. */
const FOREIGN_MS = 2_000;
const PAGE_BYTES = 4_096;
/** Parent of the kernel's own threads, which have no environment. */
const KERNEL = 2;
/** No mark: a token has other characters. */
const UNTOLD = '?';

/**
 * A process belongs to an execution by its process group or session, by the mark in its environment (which children inherit), by its
 * parent, or because it belonged to it before. What escapes: a process that clears its environment, starts a session and
 * loses its parent, all between two scans. Containers (level docker) have no such gap.
 */
export function createProcessTable(): ProcessTable {
  const supported = existsSync('/proc/self/stat');
  const trees = new Set<Tracked>();
  const foreignUntil = new Map<number, number>();
  const marks = new Map<number, { startTime: string; token: string | undefined }>();

  function markOf(stat: Stat): string | undefined {
    const known = marks.get(stat.pid);
    if (known?.startTime === stat.startTime) return known.token;
    const token = stat.parent === KERNEL ? undefined : readMark(stat.pid);
    if (token !== UNTOLD) marks.set(stat.pid, { startTime: stat.startTime, token });
    return token;
  }

  function scan(): number {
    if (!supported || trees.size === 0) return 0;
    const now = Date.now();
    const pids = listPids();
    forget(pids);
    const found = new Map<number, Found>();
    const stats = readStats(pids, (pid) => (foreignUntil.get(pid) ?? 0) > now);
    const unknown = adoptChildren(adoptKnown(stats, trees, found), found);
    const rest = adoptMarked(unknown, { trees, markOf }, found);
    let untold = 0;
    for (const stat of adoptChildren(rest, found)) {
      if (markOf(stat) === UNTOLD) untold += 1;
      else foreignUntil.set(stat.pid, now + FOREIGN_MS);
    }
    for (const tree of trees) tree.members.clear();
    for (const { stat, tree } of found.values()) {
      tree.members.set(stat.pid, { startTime: stat.startTime, rssBytes: stat.rssBytes });
    }
    return untold;
  }

  function forget(pids: ReadonlySet<number>): void {
    for (const pid of foreignUntil.keys()) if (!pids.has(pid)) foreignUntil.delete(pid);
    for (const pid of marks.keys()) if (!pids.has(pid)) marks.delete(pid);
  }

  return {
    scan,
    track(token, leader) {
      const tree: Tracked = { token, leader, members: new Map() };
      trees.add(tree);
      // The kernel may have given a known process's number to the new one.
      foreignUntil.delete(leader);
      return tree;
    },
    untrack(tree) {
      for (const one of trees) if (one === tree) trees.delete(one);
    },
  };
}

/** Pids whose environment carries a mark, with its value. */
export function listMarked(): { pid: number; token: string }[] {
  if (!existsSync('/proc/self/stat')) return [];
  return [...listPids()].flatMap((pid) => {
    const token = readMark(pid);
    return token === undefined || token === UNTOLD ? [] : [{ pid, token }];
  });
}

function readStats(pids: ReadonlySet<number>, passOver: (pid: number) => boolean): Stat[] {
  return [...pids].flatMap((pid) => {
    const stat = passOver(pid) ? undefined : readStat(pid);
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? [] : [stat];
  });
}

/**
 * Moves processes that are told by their group, their session or the last scan to `found`; returns the rest. That, and their parents, come before
 * their mark: the kernel gives out an environment only while its process makes no child, and who is many makes many.
 */
function adoptKnown(open: readonly Stat[], trees: ReadonlySet<Tracked>, found: Map<number, Found>): Stat[] {
  const byLeader = new Map([...trees].map((tree) => [tree.leader, tree]));
  return open.filter((stat) => {
    let tree = byLeader.get(stat.group) ?? byLeader.get(stat.session);
    for (const one of trees) if (one.members.get(stat.pid)?.startTime === stat.startTime) tree ??= one;
    if (tree !== undefined) found.set(stat.pid, { stat, tree });
    return tree === undefined;
  });
}

/** The same for those whose environment carries a mark, and for their children. */
function adoptMarked(
  open: readonly Stat[],
  { trees, markOf }: { trees: ReadonlySet<Tracked>; markOf: (stat: Stat) => string | undefined },
  found: Map<number, Found>,
): Stat[] {
  const byToken = new Map([...trees].map((tree) => [tree.token, tree]));
  return open.filter((stat) => {
    const parent = found.get(stat.parent);
    const token = parent === undefined ? markOf(stat) : undefined;
    const tree = parent?.tree ?? (token === undefined ? undefined : byToken.get(token));
    if (tree !== undefined) found.set(stat.pid, { stat, tree });
    return tree === undefined;
  });
}

/** Moves processes whose parent belongs to an execution to `found`; returns the rest. */
function adoptChildren(open: Stat[], found: Map<number, Found>): Stat[] {
  for (;;) {
    const rest = open.filter((stat) => {
      const parent = found.get(stat.parent);
      if (parent !== undefined) found.set(stat.pid, { stat, tree: parent.tree });
      return parent === undefined;
    });
    if (rest.length === open.length) return rest;
    open = rest;
  }
}

function listPids(): Set<number> {
  const pids = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) pids.add(Number(name));
  }
  return pids;
}

const bytes = new Uint8Array(2_048);

/** One read instead of readFileSync's four calls: scans happen on the worker's event loop. */
function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r');
    try {
      text = Buffer.from(bytes.buffer, 0, readSync(file, bytes, 0, bytes.length, 0)).toString('latin1');
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  // The name in parentheses may itself have spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? 'X',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTime: fields[19] ?? '',
    rssBytes: Number(fields[21]) * PAGE_BYTES,
  };
}

/** The mark of a process; undefined when it has none or belongs to another user, {@link UNTOLD} when it has no environment. */
function readMark(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    if (environment === '') return UNTOLD;
    const text = `\0${environment}`;
    const start = text.indexOf(`\0${OWNER_VARIABLE}=`);
    if (start < 0) return undefined;
    const from = start + OWNER_VARIABLE.length + 2;
    const end = text.indexOf('\0', from);
    return text.slice(from, end < 0 ? undefined : end);
  } catch {
    return undefined;
  }
}
