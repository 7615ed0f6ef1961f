import type { IncomingMessage } from 'node:http';
import { LatticeError } from '@lattice/contracts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Refuses requests that pages of a browser make, but for those of this machine: a page could reach a server of its visitor's
 * network by a name that it points there. Programs send no Origin. Host says nothing here: such a page chooses it as well.
 */
export function checkOrigin(request: IncomingMessage): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  if (URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname)) return;
  throw new LatticeError('forbidden', 'A page of another machine may not speak MCP with this server.');
}
