import { createServer } from 'node:net';
import { systemCode } from './errors';

/** A port of 127.0.0.1 that nothing listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('no free port on 127.0.0.1'));
      });
    });
  });
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
