import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { isAbandoned, nextToken, parseStamp, stampOf, type Owner } from '../owner';
import { messageOf } from '../thrown';
import { openGroup, removeGroup, type ControlGroup, type GroupLimits } from './control-group';
import { findPlace, moveBack, type Found, type Place } from './find-place';

/** Of groups that are ours: the stamp of the worker, or a token, behind it. */
const PREFIX = 'lattice-';

/** Whether the kernel holds executions to their limits, and where; else the reason why they are only measured. */
export type Holding = { readonly version: 1 | 2; readonly folder: string } | { readonly reason: string };

/** Control groups of this worker's executions, where it may make such. */
export interface ControlGroups {
  /** Looked for at the first question. */
  holding(): Holding;
  /** A group with limits; undefined where there are none. */
  open(token: string, limits: GroupLimits): ControlGroup | undefined;
  /** What has to be emptied and removed should the worker die. */
  folders(): string[];
  /** Removes the groups of workers that are gone, with what runs in them. */
  reap(): Promise<void>;
  close(): Promise<void>;
}

/** `off`: none are made, whatever may be. `onLost` is told the reason when groups can't be made any more: executions are only measured from then on. */
export function createControlGroups(
  owner: Owner,
  { off = false, onLost = () => undefined }: { off?: boolean; onLost?: ((reason: string) => void) | undefined } = {},
): ControlGroups {
  let found: Found | undefined = off ? { reason: 'they are turned off' } : undefined;
  let moving = Promise.resolve();

  function place(): Place | undefined {
    found ??= findPlace(`${PREFIX}${nextToken(owner)}`, `${PREFIX}${stampOf(owner)}`);
    return 'reason' in found ? undefined : found;
  }

  function inTurn(move: () => Promise<void>): Promise<void> {
    moving = moving.then(move);
    return moving;
  }

  return {
    holding() {
      const here = place();
      if (here !== undefined) return { version: here.version, folder: here.trees[0]?.folder ?? '' };
      return { reason: found !== undefined && 'reason' in found ? found.reason : '' };
    },
    open(token, limits) {
      const here = place();
      if (here === undefined) return undefined;
      try {
        return openGroup(here, token.slice(token.lastIndexOf('~') + 1), limits, inTurn);
      } catch (error) {
        found = { reason: messageOf(error) };
        onLost(found.reason);
        return undefined;
      }
    },
    folders: () => place()?.trees.map(({ folder }) => folder) ?? [],
    async reap() {
      for (const { folder } of place()?.trees ?? []) await reapBeside(folder, owner);
    },
    async close() {
      const here = found === undefined || 'reason' in found ? undefined : found;
      found = { reason: 'the executors are closed' };
      if (here === undefined) return;
      await Promise.all(here.trees.map(({ folder }) => removeAll(folder)));
      if (here.moved !== undefined) moveBack(here.moved);
    },
  };
}

async function reapBeside(own: string, owner: Owner): Promise<void> {
  const parent = path.dirname(own);
  for (const name of readdirSync(parent)) {
    const stamp = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
    const other = parseStamp(stamp);
    if (other === undefined || !isAbandoned(other, owner)) continue;
    const folder = path.join(parent, name);
    // A token: the groups of executions. A stamp: the worker itself was in there, and may not have been alone.
    if (stamp === stampOf(other)) removeEmpty(folder);
    else await removeAll(folder);
  }
}

async function removeAll(folder: string): Promise<void> {
  const groups = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const inside = groups.filter((one) => one.isDirectory());
  await Promise.all(inside.map((one) => removeGroup(path.join(folder, one.name))));
  await removeGroup(folder);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody is in there.
  }
}
