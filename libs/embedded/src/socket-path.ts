/** Bytes that the path of a Unix socket may have on every system there is, the final zero included. */
const MOST_BYTES = 104;

/** Whether a Unix socket can lie there. */
export function fitsSocket(path: string): boolean {
  return process.platform !== 'win32' && Buffer.byteLength(path) < MOST_BYTES;
}
