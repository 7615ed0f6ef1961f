import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import type { LogChunk } from './port';

type StreamName = LogChunk['stream'];

/** A line without an end is passed on after this many milliseconds, so that progress bars and prompts are seen. */
const PARTIAL_LINE_MS = 100;
/** ... or when it has this many characters. */
const PARTIAL_LINE_CHARS = 16_384;
/** Characters of stderr kept for error messages. */
const TAIL_CHARS = 2_048;

export interface LogPipe {
  /** A returned promise asks the writer to pause until it resolves. It never rejects. */
  write(stream: StreamName, chunk: Buffer): Promise<void> | undefined;
  /** Passes on what is left; resolves when the sink has taken everything. */
  end(): Promise<void>;
  /** The end of stderr, also when the log was cut before. */
  stderrTail(): string;
}

/** From bytes of two streams to chunks of text: characters stay whole, lines mostly, and the size is bounded. */
export function createLogPipe(logBytes: number, onLog: (chunk: LogChunk) => void | Promise<void>): LogPipe {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const partial = { stdout: '', stderr: '' };
  let left = logBytes;
  let cut = false;
  let tail = '';
  let timer: NodeJS.Timeout | undefined;
  let busy: Promise<void> | undefined;

  function deliver(stream: StreamName, text: string): void {
    const chunk = { stream, text, at: Date.now() };
    const sink = async (): Promise<void> => onLog(chunk);
    // Without a promise outstanding the sink is called in this turn; else in order, behind it.
    const next = busy === undefined ? callNow(chunk) : busy.then(sink).catch(() => undefined);
    if (next === undefined) return;
    const settled: Promise<void> = next.then(() => {
      if (busy === settled) busy = undefined;
    });
    busy = settled;
  }

  function callNow(chunk: LogChunk): Promise<void> | undefined {
    try {
      return onLog(chunk)?.catch(() => undefined);
    } catch {
      return undefined;
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const stream of ['stdout', 'stderr'] as const) {
      if (partial[stream] !== '') deliver(stream, partial[stream]);
      partial[stream] = '';
    }
  }

  function sayCut(stream: StreamName): void {
    cut = true;
    const newline = partial[stream] === '' ? '' : '\n';
    partial[stream] += `${newline}[lattice] log cut: the limit is ${logBytes} bytes\n`;
    flush();
  }

  function write(stream: StreamName, chunk: Buffer): Promise<void> | undefined {
    if (stream === 'stderr') tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARS);
    if (cut) return busy;
    const text = partial[stream] + decoders[stream].write(chunk.subarray(0, left));
    const over = chunk.length > left;
    left -= Math.min(left, chunk.length);
    const end = over || text.length > PARTIAL_LINE_CHARS ? text.length : text.lastIndexOf('\n') + 1;
    partial[stream] = text.slice(end);
    if (over) {
      partial[stream] = text;
      sayCut(stream);
    } else if (end > 0) {
      deliver(stream, text.slice(0, end));
    }
    if (partial[stream] !== '') timer ??= setTimeout(flush, PARTIAL_LINE_MS);
    return busy;
  }

  return {
    write,
    stderrTail: () => tail,
    async end() {
      if (!cut) for (const stream of ['stdout', 'stderr'] as const) partial[stream] += decoders[stream].end();
      flush();
      while (busy !== undefined) await busy;
    },
  };
}

/** Reads the source into the pipe, pausing while the sink asks for it. */
export function pumpInto(pipe: LogPipe, stream: StreamName, source: Readable): void {
  source.on('data', (chunk: Buffer) => {
    const pause = pipe.write(stream, chunk);
    if (pause === undefined) return;
    source.pause();
    void pause.then(() => source.resume());
  });
  // A broken pipe ends the log; the exit of the process says how it went.
  source.on('error', () => undefined);
}
