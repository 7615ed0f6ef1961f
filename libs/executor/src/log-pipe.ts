import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import type { Execution, LogChunk } from './port';

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

/** The log of an execution, within its limit. */
export function logOf(execution: Execution): LogPipe {
  return createLogPipe(
    execution.limits.logBytes,
    (chunk) => execution.onLog(chunk),
    () => execution.onAlive?.(),
  );
}

/**
 * From bytes of two streams to chunks of text: characters stay whole, lines mostly, and the size is bounded. `onDropped` is
 * called for what is written above the size.
 */
export function createLogPipe(
  logBytes: number,
  onLog: (chunk: LogChunk) => void | Promise<void>,
  onDropped?: () => void,
): LogPipe {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const partial = { stdout: '', stderr: '' };
  let left = logBytes;
  let cut = false;
  let tail = '';
  let timer: NodeJS.Timeout | undefined;
  const sink = createSink(onLog);

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const stream of ['stdout', 'stderr'] as const) {
      if (partial[stream] !== '') sink.deliver(stream, partial[stream]);
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
    if (cut) {
      onDropped?.();
      return sink.busy();
    }
    const text = partial[stream] + decoders[stream].write(chunk.subarray(0, left));
    const over = chunk.length > left;
    left -= Math.min(left, chunk.length);
    const end = over || text.length > PARTIAL_LINE_CHARS ? text.length : text.lastIndexOf('\n') + 1;
    partial[stream] = text.slice(end);
    if (over) {
      partial[stream] = text;
      sayCut(stream);
    } else if (end > 0) {
      sink.deliver(stream, text.slice(0, end));
    }
    if (partial[stream] !== '') timer ??= setTimeout(flush, PARTIAL_LINE_MS);
    return sink.busy();
  }

  return {
    write,
    stderrTail: () => tail,
    async end() {
      if (!cut) for (const stream of ['stdout', 'stderr'] as const) partial[stream] += decoders[stream].end();
      flush();
      for (let busy = sink.busy(); busy !== undefined; busy = sink.busy()) await busy;
    },
  };
}

interface Sink {
  deliver(stream: StreamName, text: string): void;
  /** Resolves when the sink has taken what it was given; undefined when it has. */
  busy(): Promise<void> | undefined;
}

/** Calls the receiver in this turn while it does not ask for time, else in order, one call after the other. */
function createSink(onLog: (chunk: LogChunk) => void | Promise<void>): Sink {
  let busy: Promise<void> | undefined;

  function callNow(chunk: LogChunk): Promise<void> | undefined {
    try {
      return onLog(chunk)?.catch(() => undefined);
    } catch {
      return undefined;
    }
  }

  return {
    busy: () => busy,
    deliver(stream, text) {
      const chunk = { stream, text, at: Date.now() };
      const next = busy === undefined ? callNow(chunk) : busy.then(() => callNow(chunk));
      if (next === undefined) return;
      const settled: Promise<void> = next.then(() => {
        if (busy === settled) busy = undefined;
      });
      busy = settled;
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
