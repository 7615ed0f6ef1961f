import { createServer, type Server } from 'node:http';
import type { Settings } from '@lattice/config';

/**
 * Answers GET /health/live and /health/ready on LATTICE_WORKER_PORT, for who keeps the process running. Ready means that the
 * worker showed lately that it takes tasks; 503 that it did not. Nothing is served when the port is not set.
 */
export async function serveHealth(settings: Settings, isReady: () => boolean): Promise<Server | undefined> {
  const { port } = settings.worker;
  if (port === undefined) return undefined;
  const server = createServer((request, response) => {
    const status =
      request.url === '/health/live' ? 200 : request.url === '/health/ready' ? (isReady() ? 200 : 503) : 404;
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ status: status === 200 ? 'ok' : 'unavailable' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, settings.host, resolve);
  });
  return server;
}
