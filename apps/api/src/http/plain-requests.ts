import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that ask for another protocol, beside `Connection`. */
const OF_UPGRADE = new Set(['upgrade', 'http2-settings']);

/**
 * Answers what asks for more than the server gives as if it had not asked: who offers HTTP/2 (`Upgrade: h2c`, as clients of Java and
 * `curl --http2` do) goes on in HTTP/1.1, and an expectation that nobody knows is passed over. Node would say nothing to the one
 * but close the connection, and 417 without a body to the other. To be called when all listeners of `upgrade` are there: they are
 * left with the upgrades to WebSocket of the paths given.
 */
export function servePlainRequests(server: Server, socketPaths: readonly string[]): void {
  const takers = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isForSocket(request, socketPaths)) {
      for (const taker of takers) Reflect.apply(taker, server, [request, socket, head]);
      return;
    }
    // What was read of the connection is put back, without the wish.
    socket.unshift(Buffer.concat([plainHead(request), head]));
    server.emit('connection', socket);
  });
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

function isForSocket({ headers, url = '' }: IncomingMessage, paths: readonly string[]): boolean {
  const asked = (headers.upgrade ?? '').split(',').map((protocol) => protocol.trim().toLowerCase());
  const [path = ''] = url.split('?', 1);
  return asked.includes('websocket') && paths.includes(path);
}

function plainHead({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (OF_UPGRADE.has(lower)) continue;
    const left = lower === 'connection' ? withoutUpgrade(value) : value;
    if (lower !== 'connection' || left !== '') lines.push(`${name}: ${left}`);
  }
  // Node gives the bytes of headers as characters of Latin-1.
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutUpgrade(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !OF_UPGRADE.has(option.toLowerCase())).join(', ');
}
