import type { Writable } from 'node:stream';

/**
 * Joins what is written to a connection in one turn of the event loop: it goes to the kernel at its end, by one write,
 * however many frames it is. Such a write costs about 20 microseconds, whatever it carries, and is most of what it takes to
 * tell 1,000 sockets of something.
 */
export class WriteTurns {
  private readonly held = new Set<Writable>();

  /** What is written to the connection from now on goes out at the end of this turn of the event loop. */
  hold(connection: Writable): void {
    if (this.held.has(connection)) return;
    if (this.held.size === 0) setImmediate(this.take);
    connection.cork();
    this.held.add(connection);
  }

  /** What was written to the connection goes out now, for somebody waits for it to be read. */
  release(connection: Writable): void {
    if (this.held.delete(connection)) connection.uncork();
  }

  private readonly take = (): void => {
    for (const connection of this.held) connection.uncork();
    this.held.clear();
  };
}
