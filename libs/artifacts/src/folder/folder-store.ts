import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, rmdir, stat, writeFile, link } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LatticeError } from '@lattice/contracts';
import { measured } from '../measure';
import { checkKey, type ArtifactStore } from '../store';

/** Half-written objects, each renamed to its key when it is whole and on the disk. */
const PARTS = '.parts';
const IDENTITY = '.store';
/** A half-written object that has not changed for so long belongs to a process that is gone. */
const STALE_MS = 24 * 3_600_000;
/** A folder may be taken away, empty, between its making and the rename into it. */
const TRIES = 3;

/** Objects as files of a folder. For processes of several machines it has to be a folder that they share. */
export function openFolderStore(root: string): ArtifactStore {
  let identity: Promise<string> | undefined;
  let tidied: Promise<void> | undefined;

  /** Once; what fails of it fails nothing else, and is tried again. */
  function tidy(parts: string): Promise<void> {
    tidied ??= removeStale(parts).catch(() => {
      tidied = undefined;
    });
    return tidied;
  }

  return {
    identity() {
      identity ??= identityOf(root).catch((error: unknown) => {
        identity = undefined;
        return refuse(error);
      });
      return identity;
    },
    async put(key, body, { limitBytes, signal }) {
      const file = path.join(root, checkKey(key));
      const part = path.join(root, PARTS, randomUUID());
      const { stream, stored } = measured(body, limitBytes);
      try {
        await mkdir(path.dirname(part), { recursive: true, mode: 0o700 });
        await tidy(path.dirname(part));
        const handle = await open(part, 'wx', 0o600);
        await pipeline(stream, handle.createWriteStream({ flush: true }), { signal });
        await moveTo(part, file);
        return stored();
      } catch (error) {
        body.destroy();
        await rm(part, { force: true }).catch(() => undefined);
        throw asFault(error);
      }
    },
    async get(key, { range, signal } = {}) {
      const file = path.join(root, checkKey(key));
      const handle = await open(file, 'r').catch(notThere);
      return createReadStream(file, { fd: handle, ...range, ...(signal === undefined ? {} : { signal }) });
    },
    async remove(keys) {
      for (const key of keys) await removeFile(root, checkKey(key)).catch(refuse);
    },
    close: () => undefined,
  };
}

async function moveTo(part: string, file: string): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    try {
      await rename(part, file);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || left <= 1) throw error;
    }
  }
}

/** Folders that are empty then go too. */
async function removeFile(root: string, key: string): Promise<void> {
  await rm(path.join(root, key), { force: true });
  for (let folder = path.dirname(key); folder !== '.'; folder = path.dirname(folder)) {
    const removed = await rmdir(path.join(root, folder)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

async function removeStale(folder: string): Promise<void> {
  const before = Date.now() - STALE_MS;
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (info !== undefined && info.mtimeMs < before) await rm(file, { force: true });
  }
}

/** Made once, by whoever comes first: a file of that name appears whole. */
async function identityOf(root: string): Promise<string> {
  const file = path.join(root, IDENTITY);
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  await mkdir(root, { recursive: true, mode: 0o700 });
  const draft = `${file}-${randomUUID()}`;
  await writeFile(draft, `folder:${randomUUID()}`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

function notThere(error: unknown): never {
  if (codeOf(error) !== 'ENOENT') refuse(error);
  throw new LatticeError('artifact_not_found', 'the folder of artifacts does not have it');
}

function refuse(error: unknown): never {
  throw asFault(error);
}

function asFault(error: unknown): unknown {
  if (error instanceof LatticeError || codeOf(error) === 'ABORT_ERR') return error;
  const message = error instanceof Error ? error.message : String(error);
  return new LatticeError('artifacts_unavailable', `the folder of artifacts failed: ${message}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
