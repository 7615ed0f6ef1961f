import { constants, createReadStream } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { LatticeError } from '@lattice/contracts';
import { fieldOf } from '../thrown';
import type { ArtifactBounds, LeftFile } from './port';

const MAX_DEPTH = 32;
const MAX_NAME = 512;
/** Names with control characters make lists, headers and logs lie. */
const CONTROL = /\p{Cc}/u;

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * The files in a folder that a task had for itself, when nothing of the task lives any more. Each folder and file is opened below the
 * one that was opened before, without following links; whatever is neither a file nor a folder is refused (`artifact_refused`), and so
 * is more than the bounds (`artifacts_too_large`).
 */
export async function collectFiles(root: string, bounds: ArtifactBounds): Promise<LeftFile[]> {
  const found: LeftFile[] = [];
  let bytes = 0;

  async function walk(folder: FileHandle, place: string, segments: readonly string[]): Promise<void> {
    const here = pathOf(folder, place);
    for (const entry of await readdir(here, { encoding: 'buffer' })) {
      const name = nameOf(entry, segments);
      const inside = [...segments, name];
      const handle = await openBelow(here, name, inside);
      try {
        const info = await handle.stat();
        if (info.isDirectory()) {
          if (inside.length > MAX_DEPTH) throw refused(inside, `is more than ${MAX_DEPTH} folders deep`);
          await walk(handle, path.join(place, name), inside);
          continue;
        }
        if (!info.isFile()) throw refused(inside, 'is neither a file nor a folder');
        bytes += info.size;
        found.push({ name: inside.join('/'), size: info.size, read: () => readInside(root, inside) });
        checkBounds(found.length, bytes, bounds);
      } finally {
        await handle.close();
      }
    }
  }

  const top = await open(root, FLAGS | constants.O_DIRECTORY);
  try {
    await walk(top, root, []);
  } finally {
    await top.close();
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function checkBounds(count: number, bytes: number, { maxBytes, maxCount }: ArtifactBounds): void {
  if (count > maxCount) throw tooMuch(`the task left more than ${maxCount} files`);
  if (bytes > maxBytes) throw tooMuch(`the task left files of ${bytes} bytes, ${maxBytes} are the most`);
}

function tooMuch(message: string): LatticeError {
  return new LatticeError('artifacts_too_large', message);
}

/** What is below an open folder can't be led elsewhere by a link that takes the place of one of the folders above. */
function pathOf(folder: FileHandle, place: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : place;
}

async function openBelow(folder: string, name: string, segments: readonly string[]): Promise<FileHandle> {
  try {
    return await open(path.join(folder, name), FLAGS);
  } catch (error) {
    const code = fieldOf(error, 'code');
    // What has no reader and what is no device that is there; ELOOP is a link.
    if (code === 'ELOOP' || code === 'EMLINK') throw refused(segments, 'is a symbolic link');
    if (code === 'ENXIO' || code === 'EOPNOTSUPP' || code === 'ENODEV')
      throw refused(segments, 'is neither a file nor a folder');
    if (code === 'EACCES' || code === 'EPERM') throw refused(segments, 'can not be read by the worker');
    throw error;
  }
}

async function readInside(root: string, segments: readonly string[]): Promise<Readable> {
  let folder = await open(root, FLAGS | constants.O_DIRECTORY);
  let place = root;
  for (const [index, name] of segments.entries()) {
    const parent = folder;
    try {
      folder = await openBelow(pathOf(parent, place), name, segments.slice(0, index + 1));
    } finally {
      await parent.close();
    }
    place = path.join(place, name);
  }
  if ((await folder.stat()).isFile()) return createReadStream(place, { fd: folder });
  await folder.close();
  throw refused(segments, 'is no file any more');
}

function nameOf(entry: Buffer, segments: readonly string[]): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true }).decode(entry);
  } catch {
    throw refused([...segments, entry.toString('latin1')], 'has a name that is not UTF-8');
  }
  const whole = [...segments, name];
  if (CONTROL.test(name)) throw refused(whole, 'has control characters in its name');
  if (whole.join('/').length > MAX_NAME) throw refused(whole, `has a name of more than ${MAX_NAME} characters`);
  return name;
}

function refused(segments: readonly string[], what: string): LatticeError {
  return new LatticeError('artifact_refused', `${JSON.stringify(segments.join('/').slice(0, MAX_NAME))} ${what}`);
}
