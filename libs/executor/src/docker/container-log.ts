import type { LogPipe } from '../log-pipe';

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Reads what the engine sends of an attached container into the log: frames of an 8-byte header (stream, three zero bytes,
 * length as a big-endian integer) and a payload. Resolves when the container's streams are closed.
 */
export function pumpContainerLog(source: NodeJS.ReadableStream, log: LogPipe): Promise<void> {
  const header = new Uint8Array(HEADER_BYTES);
  let inHeader = 0;
  let payloadLeft = 0;

  function take(chunk: Buffer): Promise<void> | undefined {
    let pause: Promise<void> | undefined;
    let at = 0;
    while (at < chunk.length) {
      if (payloadLeft > 0) {
        const part = chunk.subarray(at, at + payloadLeft);
        pause = log.write(header[0] === STDERR ? 'stderr' : 'stdout', part) ?? pause;
        at += part.length;
        payloadLeft -= part.length;
        continue;
      }
      header[inHeader++] = chunk[at++] ?? 0;
      if (inHeader < HEADER_BYTES) continue;
      inHeader = 0;
      payloadLeft = new DataView(header.buffer).getUint32(4);
    }
    return pause;
  }

  return new Promise((resolve) => {
    source.on('data', (chunk: Buffer) => {
      const pause = take(chunk);
      if (pause === undefined) return;
      source.pause();
      void pause.then(() => source.resume());
    });
    for (const event of ['end', 'close', 'error'] as const) source.once(event, () => resolve());
  });
}
