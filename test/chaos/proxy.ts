import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What becomes of the way to a server. open: bytes pass. held: nothing passes, nobody is told; what was on its way comes later.
 * refused: connections are reset, new ones too. dead: nothing passes and nobody is told, for connections that are there
 * also when the way is open again, as behind a router that forgot them.
 */
export type Way = 'open' | 'held' | 'refused' | 'dead';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** A way to a TCP server that can be cut. */
export class Proxy {
  private readonly pairs = new Set<Pair>();
  /** Kept open, and never looked at again. */
  private readonly forgotten: Pair[] = [];
  private way: Way = 'open';

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (near) => this.accept(near));
  }

  static async to(url: string): Promise<Proxy> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Proxy(server, { host: hostname, port: Number(port) });
  }

  /** The URL with the address of this end. */
  through(url: string): string {
    const parsed = new URL(url);
    // Past the socket that an embedded server has beside its port.
    parsed.search = '';
    parsed.port = String((this.server.address() as AddressInfo).port);
    return parsed.toString();
  }

  set(way: Way): void {
    this.way = way;
    for (const pair of [...this.pairs]) {
      if (way === 'refused') this.end(pair);
      else if (way === 'open') pass(pair);
      else stop(pair);
      if (way === 'dead') this.forget(pair);
    }
  }

  async close(): Promise<void> {
    for (const pair of [...this.pairs, ...this.forgotten]) this.end(pair);
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(near: Socket): void {
    const far = connect(this.target);
    const pair = { near, far };
    this.pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.end(pair));
      socket.on('close', () => this.end(pair));
    }
    if (this.way === 'refused') this.end(pair);
    else if (this.way === 'open') pass(pair);
    else if (this.way === 'dead') this.forget(pair);
  }

  private forget(pair: Pair): void {
    this.pairs.delete(pair);
    this.forgotten.push(pair);
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    for (const socket of [pair.near, pair.far]) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

function pass({ near, far }: Pair): void {
  near.pipe(far);
  far.pipe(near);
}

function stop({ near, far }: Pair): void {
  near.unpipe(far).pause();
  far.unpipe(near).pause();
}
