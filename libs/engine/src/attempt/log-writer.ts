import type { LogChunk } from '@lattice/executor';
import { appendEvent, type RunRef } from '@lattice/queue';
import type { Engine } from '../context';

const FLUSH_MS = 50;
const FLUSH_CHARACTERS = 32_768;
const HIGH_WATER = 262_144;

/**
 * Writes the log of one attempt as events: text of one stream is gathered for up to 50 ms or 32 kB. Above 256 kB the promise
 * that `write` returns holds the reader back.
 */
export class LogWriter {
  private readonly pending: LogChunk[] = [];
  private characters = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly attempt: RunRef & { taskKey: string; attempt: number },
  ) {}

  write(chunk: LogChunk): Promise<void> | undefined {
    const last = this.pending.at(-1);
    if (last?.stream === chunk.stream && last.text.length < FLUSH_CHARACTERS) last.text += chunk.text;
    else this.pending.push({ ...chunk });
    this.characters += chunk.text.length;
    if (this.characters >= HIGH_WATER) return this.flush();
    if (this.characters >= FLUSH_CHARACTERS) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
    return undefined;
  }

  /** Resolves when all that was written is in the event stream. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const chunks = this.pending.splice(0);
    this.characters = 0;
    if (chunks.length > 0) this.writing = this.writing.then(() => this.append(chunks));
    return this.writing;
  }

  private async append(chunks: readonly LogChunk[]): Promise<void> {
    try {
      await Promise.all(
        chunks.map(({ stream, text, at }) =>
          appendEvent(this.engine.queue, {
            ...this.attempt,
            type: 'task.log',
            json: JSON.stringify({ stream, text }),
            at,
          }),
        ),
      );
    } catch (error) {
      this.engine.log.warn({ err: error, ...this.attempt }, 'a part of a log was lost');
    }
  }
}
