import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { systemCode } from './errors';

/** Below the ports that systems give to outgoing connections: from 32,768 on (Linux), or from 49,152 on. */
const LOWEST = 20_000;
const HIGHEST = 32_767;

/**
 * A port of 127.0.0.1 that nothing listens on at this moment, and that no outgoing connection is given until it is listened on, or
 * while what listens on it is started again: a client that goes on asking for it could even be connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await portIsFree(port, '127.0.0.1')) return port;
  }
}

/**
 * Whether an app could listen on this port of `host`, and of 127.0.0.1, where the launcher asks for it: some systems
 * allow a listener on every address beside one on the loopback.
 */
export async function portIsFree(port: number, host: string): Promise<boolean> {
  return (await canListen(port, host)) && (host === '127.0.0.1' || (await canListen(port, '127.0.0.1')));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Only "in use" is an answer. Without the right to the port, or with a wrong host, the app itself says so best.
    server.once('error', (error) => resolve(systemCode(error) !== 'EADDRINUSE'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
