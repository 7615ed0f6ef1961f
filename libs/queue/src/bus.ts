import type { Redis } from 'ioredis';
import { CHANNELS, type Channel, type Keys } from './keys';

export interface Listener {
  onMessage(message: string): void;
  /** The subscription was interrupted: messages may have been missed. */
  onReconnect?(): void;
}

const PING_MS = 10_000;

/** Publish and subscribe. Messages are hints: whoever needs certainty reads the state again after a reconnect. */
export class Bus {
  private readonly listeners = new Map<Channel, Set<Listener>>();
  private subscriber: Redis | undefined;

  constructor(private readonly options: { publisher: Redis; connect: () => Redis; keys: Keys }) {}

  async publish(channel: Channel, message: string): Promise<void> {
    await this.options.publisher.publish(this.options.keys.channel(channel), message);
  }

  /** Resolves when the subscription stands; the function returned ends it. */
  async subscribe(channel: Channel, listener: Listener): Promise<() => Promise<void>> {
    const subscriber = (this.subscriber ??= this.connect());
    const set = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, set);
    set.add(listener);
    // Redis counts a repeated SUBSCRIBE as none; the reply tells that the first one stands.
    await subscriber.subscribe(this.options.keys.channel(channel));
    return async () => {
      set.delete(listener);
      if (set.size === 0 && subscriber.status === 'ready')
        await subscriber.unsubscribe(this.options.keys.channel(channel));
    };
  }

  private connect(): Redis {
    const redis = this.options.connect();
    const names = new Map(CHANNELS.map((channel) => [this.options.keys.channel(channel), channel]));
    redis.on('message', (name: string, message: string) => {
      const channel = names.get(name);
      if (channel === undefined) return;
      for (const listener of this.listeners.get(channel) ?? []) listener.onMessage(message);
    });
    // Nobody asks anything on this connection, so that its silence would tell nothing.
    const pinging = setInterval(() => {
      if (redis.status === 'ready') redis.ping().catch(() => undefined);
    }, PING_MS).unref();
    redis.on('end', () => clearInterval(pinging));
    let wasReady = false;
    redis.on('ready', () => {
      if (wasReady) void this.resubscribe(redis);
      wasReady = true;
    });
    return redis;
  }

  /** ioredis subscribes again by itself; asking once more tells when it stands, and only then may the gap be read. */
  private async resubscribe(redis: Redis): Promise<void> {
    const channels = [...this.listeners].flatMap(([channel, set]) =>
      set.size > 0 ? [this.options.keys.channel(channel)] : [],
    );
    try {
      if (channels.length > 0) await redis.subscribe(...channels);
    } catch {
      // The connection went again: its next `ready` comes here again.
      return;
    }
    for (const set of this.listeners.values()) for (const listener of set) listener.onReconnect?.();
  }
}
