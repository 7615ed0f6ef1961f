import type { Redis } from 'ioredis';

/**
 * Lets the commands of one turn of the event loop leave in one write: a write to a socket costs more than what Redis does for
 * most commands. Their order stays, and none waits for more than the promises that are settled already.
 */
export function writeTogether(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
    let corked = false;
    const uncork = (): void => {
      corked = false;
      stream.uncork();
    };
    stream.write = (...given: unknown[]): boolean => {
      if (!corked) {
        corked = true;
        stream.cork();
        process.nextTick(uncork);
      }
      return write(...given);
    };
  });
}
