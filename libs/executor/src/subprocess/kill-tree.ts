import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTable, ProcessTree } from './process-table';

/** How often a tree that was asked to end is looked at. */
const POLL_MS = 20;
const KILL_ROUNDS = 25;
/** So often processes are looked at again that could not be told: some have no environment for good. */
const UNTOLD_ROUNDS = 4;

/** Sends a signal to the process group that the execution began as; a group that is gone is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  signalOne(-leader, signal);
}

/** SIGKILL to every process of the tree, again and again until there is none: a fork may slip through one round. */
export async function killTree(table: ProcessTable, tree: ProcessTree): Promise<void> {
  signalGroup(tree.leader, 'SIGKILL');
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const untold = table.scan();
    if (tree.members.size === 0 && (untold === 0 || round >= UNTOLD_ROUNDS)) return;
    for (const pid of tree.members.keys()) signalOne(pid, 'SIGKILL');
    await sleep(round < 5 ? 1 : POLL_MS);
  }
}

/** SIGTERM, then a wait of at most the grace for the whole tree to end, then SIGKILL. */
export async function endTree(options: {
  table: ProcessTable;
  tree: ProcessTree;
  graceMs: number;
  leaderGone: Promise<unknown>;
  /** The leader wraps the task and would take it along if it were asked to end. */
  wrapped: boolean;
}): Promise<void> {
  const { table, tree, graceMs, leaderGone, wrapped } = options;
  const deadline = performance.now() + graceMs;
  // While the parents live: afterwards a child that cleared its environment could not be told.
  table.scan();
  if (graceMs > 0 && !wrapped) signalGroup(tree.leader, 'SIGTERM');
  if (graceMs > 0 && wrapped) signalMembers(tree, 'SIGTERM');
  let gone = false;
  void leaderGone.then(() => (gone = true));
  while (performance.now() < deadline) {
    await sleep(Math.min(POLL_MS, Math.max(1, deadline - performance.now())));
    if (!gone) continue;
    table.scan();
    if (tree.members.size === 0) break;
  }
  await killTree(table, tree);
}

/** To all but the leader. The first process of a pid namespace is not disturbed by it: the kernel keeps such signals from it. */
function signalMembers(tree: ProcessTree, signal: NodeJS.Signals): void {
  for (const pid of tree.members.keys()) if (pid !== tree.leader) signalOne(pid, signal);
}

function signalOne(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // Gone already, or not ours to signal: the scan decides whether anything is left.
  }
}
