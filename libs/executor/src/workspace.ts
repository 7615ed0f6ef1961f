import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LatticeError, type Language } from '@lattice/contracts';
import { isAbandoned, parseStamp, type Owner } from './owner';
import type { Execution } from './port';

/** The files of one execution. All of it is removed at the end. */
export interface Workspace {
  folder: string;
  /** The task's input as JSON. */
  input: string;
  /** Holds what the task hands over; nothing else in it is looked at. */
  outputFolder: string;
  output: string;
  fault: string;
  /** The source of a code task. */
  source: string | undefined;
  /** Working folder and HOME of a process. */
  home: string;
  temp: string;
  remove(): Promise<void>;
}

const EXTENSIONS: Record<Language, string> = { javascript: 'mjs', typescript: 'ts', python: 'py' };

export function defaultWorkRoot(): string {
  return path.join(tmpdir(), `lattice-${process.getuid?.() ?? 'user'}`);
}

/**
 * Makes the folder of an execution. `shared`: a container's user, whoever that is, may read the input and write the output;
 * the folder around them stays closed to other users of the host.
 */
export function openWorkspace(options: {
  root: string;
  token: string;
  execution: Execution;
  shared: boolean;
}): Workspace {
  const { root, token, execution, shared } = options;
  const folder = path.join(root, token);
  const language = execution.uses === 'code' ? execution.code.language : undefined;
  const workspace: Workspace = {
    folder,
    input: path.join(folder, 'input.json'),
    outputFolder: path.join(folder, 'output'),
    output: path.join(folder, 'output', 'output.json'),
    fault: path.join(folder, 'output', 'fault.json'),
    source: language === undefined ? undefined : path.join(folder, `task.${EXTENSIONS[language]}`),
    home: path.join(folder, 'home'),
    temp: path.join(folder, 'tmp'),
    remove: () => removeFolder(folder),
  };
  ensureRoot(root);
  mkdirSync(folder, { mode: 0o700 });
  for (const inner of [workspace.outputFolder, workspace.home, workspace.temp]) mkdirSync(inner, { mode: 0o700 });
  writeFileSync(workspace.input, JSON.stringify(execution.input) ?? 'null', { mode: 0o600 });
  if (workspace.source !== undefined && execution.uses === 'code') {
    writeFileSync(workspace.source, execution.code.source, { mode: 0o600 });
  }
  if (shared) {
    // chmod, because the mode given above is subject to the umask.
    chmodSync(workspace.outputFolder, 0o777);
    chmodSync(workspace.input, 0o444);
    if (workspace.source !== undefined) chmodSync(workspace.source, 0o444);
  }
  return workspace;
}

/** Removes the folders of workers that are gone; returns how many. */
export async function reapFolders(root: string, self: Owner): Promise<number> {
  const names = await readdir(root).catch(() => []);
  const left = names.filter((name) => {
    const owner = parseStamp(name);
    return owner !== undefined && isAbandoned(owner, self);
  });
  await Promise.all(left.map((name) => removeFolder(path.join(root, name))));
  return left.length;
}

/** What can't be removed now (a file system gone away) is left to the next start's reaping. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined);
}

/** The root is in a folder that all may write, so it must not be a trap that someone else has set there. */
function ensureRoot(root: string): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const info = lstatSync(root);
  const uid = process.getuid?.();
  if (!info.isDirectory() || (uid !== undefined && uid !== 0 && info.uid !== uid)) {
    throw new LatticeError(
      'sandbox_failed',
      `${root} must be a folder of the worker's own user; set another work folder`,
    );
  }
}
