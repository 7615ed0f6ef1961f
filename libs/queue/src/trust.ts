import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Keys } from './keys';

const AGAIN_MS = 50;

/**
 * Whether the Redis at the other end is one that a scheduler has compared with Postgres. A server that was started again may
 * hold what an older one held, so trust ends with each connection that breaks, and comes back when the key `server` names the
 * server that answers. The scheduler that writes history puts its name there, after it looked.
 */
export class Trust {
  private held = false;
  private closed = false;
  private changes = 0;
  private regaining: Promise<void> | undefined;

  constructor(private readonly options: { redis: () => Redis; keys: Keys }) {}

  get holds(): boolean {
    return this.held;
  }

  /** Another number each time that trust was lost: what was read under an earlier one may be of another Redis. */
  get generation(): number {
    return this.changes;
  }

  lose(): void {
    this.held = false;
    this.changes += 1;
  }

  /** Resolves when trust holds; at once when it does. Rejects when the signal aborts or the connection is closed for good. */
  async wait(signal?: AbortSignal): Promise<void> {
    while (!this.held) {
      if (this.closed) throw new Error('the connection to Redis was closed');
      signal?.throwIfAborted();
      if (!(await this.look())) await delay(AGAIN_MS, undefined, { signal });
    }
  }

  /** Asks once whether trust may be had again. */
  async look(): Promise<boolean> {
    if (!this.held) await (this.regaining ??= this.regain().finally(() => (this.regaining = undefined)));
    return this.held;
  }

  close(): void {
    this.closed = true;
  }

  private async regain(): Promise<void> {
    const { keys } = this.options;
    const redis = this.options.redis();
    const before = this.changes;
    try {
      const [server, confirmed] = await Promise.all([readServer(redis), redis.get(keys.server)]);
      if (server === confirmed && before === this.changes) this.held = true;
    } catch {
      // It is asked again.
    }
  }
}

/** What tells this server process from any other. One that doesn't tell it is taken for the one that was there before. */
export async function readServer(redis: Redis): Promise<string> {
  try {
    return serverIn(await redis.info('server'));
  } catch (error) {
    // A Redis that forbids INFO answers so; one that is away is waited for.
    if (error instanceof Error && error.message.startsWith('NOPERM')) return serverIn('');
    throw error;
  }
}

/** The name in a reply of INFO. */
export function serverIn(info: unknown): string {
  return (typeof info === 'string' ? /^run_id:(\S+)/m.exec(info)?.[1] : undefined) ?? 'unknown';
}
