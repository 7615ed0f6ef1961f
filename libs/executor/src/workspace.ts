import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LatticeError, type Language } from '@lattice/contracts';
import { giveFiles } from './artifacts/give';
import { isAbandoned, parseStamp, type Owner } from './owner';
import type { Execution } from './port';
import { removeFolder } from './remove-folder';
import { messageOf } from './thrown';

/** Where a task finds its files: on the host, or as it sees them from inside its sandbox. */
export interface Places {
  /** The task's input as JSON. */
  input: string;
  output: string;
  fault: string;
  /** The source of a code task. */
  source: string;
  /** Folder of the files that it was given. */
  files: string;
  /** Folder for the files that are to be kept. */
  artifacts: string;
  /** What an interpreter's start that is held waits for. */
  start: string;
  /** Working folder and HOME of a process. */
  home: string;
  temp: string;
}

/** The files of one execution, with their paths on the host. All of it is removed at the end. */
export interface Workspace extends Places {
  folder: string;
  /** Holds what the task is given, and nothing else. */
  given: string;
  /** Holds what the task hands over; nothing else in it is looked at. */
  outputFolder: string;
  /** Writes input and source. They need not be known when the folder is made. */
  give(execution: Execution): void;
  /** Writes the files that it is given; before `give`. */
  giveFiles(execution: Execution, signal: AbortSignal): Promise<void>;
  /** Writes the file of a start that is held. */
  giveStart(text: string): void;
  /** Says whether all of it is gone: files of a user that an image names are not the worker's to remove. */
  remove(): Promise<boolean>;
}

/**
 * Whom the files are for. `process`: the worker's own user. `sandbox`: that user, or the one given, in a sandbox which sees the
 * folder of what is given and two files for what it hands over. `container`: whoever the image says; the folder around
 * the files stays closed to other users of the host.
 */
export type Audience = 'process' | 'sandbox' | 'container';

/** TypeScript comes as the JavaScript that was made of it. */
const EXTENSIONS: Record<Language, string> = { javascript: 'mjs', typescript: 'mjs', python: 'py' };

export function defaultWorkRoot(): string {
  return path.join(tmpdir(), `lattice-${process.getuid?.() ?? 'user'}`);
}

export function sourceName(language: Language | undefined): string {
  return `task.${language === undefined ? 'txt' : EXTENSIONS[language]}`;
}

/** Makes the folder of an execution. Throws when the root is a trap that someone else has set. */
export function openWorkspace(options: {
  root: string;
  token: string;
  language: Language | undefined;
  audience: Audience;
  /** Owner of the files when it is not the worker's user; only root may give files away. */
  uid?: number;
}): Workspace {
  const { root, token, language, audience, uid } = options;
  const folder = path.join(root, token);
  const outputFolder = path.join(folder, 'output');
  const given = path.join(folder, 'given');
  const workspace: Workspace = {
    folder,
    given,
    outputFolder,
    input: path.join(given, 'input.json'),
    source: path.join(given, sourceName(language)),
    start: path.join(given, 'start.sh'),
    output: path.join(outputFolder, 'output.json'),
    fault: path.join(outputFolder, 'fault.json'),
    home: path.join(folder, 'home'),
    temp: path.join(folder, 'tmp'),
    files: path.join(given, 'files'),
    artifacts: path.join(folder, 'artifacts'),
    giveFiles: (execution, signal) => giveFiles(workspace.files, execution.files ?? [], { uid, signal }),
    give(execution) {
      write(workspace.input, JSON.stringify(execution.input) ?? 'null', audience, uid);
      if (execution.uses === 'code') write(workspace.source, execution.code.source, audience, uid);
    },
    giveStart: (text) => write(workspace.start, text, audience, uid),
    remove: () => removeFolder(folder),
  };
  ensureRoot(root, uid !== undefined);
  const own = [outputFolder, workspace.artifacts];
  const folders = audience === 'process' ? [...own, workspace.home, workspace.temp] : own;
  for (const one of [folder, given, ...folders]) {
    mkdirSync(one, { mode: 0o700 });
    if (uid !== undefined) chownSync(one, uid, uid);
  }
  // chmod, because the mode given above is subject to the umask.
  if (audience === 'container') {
    for (const one of own) chmodSync(one, 0o777);
    chmodSync(given, 0o755);
  }
  return workspace;
}

/**
 * Makes the two files that a task hands over, empty. A sandbox gets these files alone, not their folder: files of its own
 * that are deleted but still open would fill the disk unseen.
 */
export function makeOutputFiles(workspace: Workspace, uid?: number): void {
  for (const file of [workspace.output, workspace.fault]) {
    writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
    if (uid === undefined) chmodSync(file, 0o666);
    else chownSync(file, uid, uid);
  }
}

/** Removes the folders of workers that are gone, by `removeForeign` what holds files of other users; returns how many there were. */
export async function reapFolders(
  root: string,
  self: Owner,
  removeForeign: (folder: string) => Promise<void>,
): Promise<number> {
  const names = await readdir(root).catch(() => []);
  const left = names.filter((name) => {
    const owner = parseStamp(name);
    return owner !== undefined && isAbandoned(owner, self);
  });
  const remove = async (folder: string): Promise<void> => {
    if (!(await removeFolder(folder))) await removeForeign(folder);
  };
  await Promise.all(left.map((name) => remove(path.join(root, name))));
  return left.length;
}

/**
 * Throws `sandbox_failed`, with what to do, when files of tasks can't be kept below `root`: a worker is to say so at its start,
 * not to take tasks only to fail them.
 */
export function checkWorkRoot(root = defaultWorkRoot()): void {
  ensureRoot(root, false);
  try {
    rmdirSync(mkdtempSync(path.join(root, 'check-')));
  } catch (error) {
    throw noWorkRoot(root, error);
  }
}

/** The root is in a folder that all may write, so it must not be a trap. `passable`: another user has a folder in it. */
export function ensureRoot(root: string, passable: boolean): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw noWorkRoot(root, error);
  }
  const info = lstatSync(root);
  const uid = process.getuid?.();
  if (!info.isDirectory() || (uid !== undefined && uid !== 0 && info.uid !== uid)) {
    throw new LatticeError(
      'sandbox_failed',
      `${root} must be a folder of the worker's own user; set TMPDIR to another folder`,
    );
  }
  if (passable && (info.mode & 0o001) === 0) chmodSync(root, (info.mode & 0o777) | 0o001);
}

function noWorkRoot(root: string, error: unknown): LatticeError {
  return new LatticeError(
    'sandbox_failed',
    `the folder for the files of tasks, ${root}, can't be written (${messageOf(error)}): ` +
      'set TMPDIR to a folder that is there and that the user of the worker may write to',
    { cause: error },
  );
}

function write(file: string, text: string, audience: Audience, uid: number | undefined): void {
  writeFileSync(file, text, { mode: 0o600 });
  if (uid !== undefined) chownSync(file, uid, uid);
  if (audience === 'container') chmodSync(file, 0o444);
}
