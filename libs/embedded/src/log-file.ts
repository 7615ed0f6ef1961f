import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readableLines } from './readable-lines';

/** A log older starts have filled beyond this is moved to NAME.log.1 before the next start. */
const rotateAtBytes = 16 * 1024 * 1024;
const endBytes = 64 * 1024;

export interface LogFile {
  readonly path: string;
  readonly fd: number;
  /** Where this start begins in the file. */
  readonly from: number;
}

export function openLog(logs: string, name: string): LogFile {
  const path = join(logs, `${name}.log`);
  if (sizeOf(path) > rotateAtBytes) renameSync(path, `${path}.1`);
  const fd = openSync(path, 'a', 0o600);
  return { path, fd, from: sizeOf(path) };
}

/** What is worth telling of the end of what was written since this start, at most `lines` lines of the last 64 KiB. */
export function lastLines(log: LogFile, lines = 15): string {
  const size = sizeOf(log.path);
  const from = Math.max(log.from, size - endBytes);
  if (size <= from) return '';
  const bytes = new Uint8Array(size - from);
  const fd = openSync(log.path, 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, from);
  } finally {
    closeSync(fd);
  }
  const all = new TextDecoder().decode(bytes).trimEnd().split('\n');
  // The first one has lost its begin.
  if (from > log.from) all.shift();
  return readableLines(all).slice(-lines).join('\n');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
