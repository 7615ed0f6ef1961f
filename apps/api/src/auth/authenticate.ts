import type { Logger } from '@lattice/config';
import { LatticeError } from '@lattice/contracts';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sendProblem } from '../http/problem.filter';
import type { Authenticator } from './authenticator';
import { setIdentity } from './identity';

/** What anybody may ask for. Whatever is not here needs a key, whether it exists or not. */
const PUBLIC = new Set(['/health/live', '/health/ready', '/login', '/logout']);

/**
 * The first handler of every request: nobody gets past it without a key, be it to a route, the documentation or the
 * queues. A browser without a session is sent to the login page.
 */
export function authenticate(authenticator: Authenticator, log: Logger): RequestHandler {
  return (request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'X-Frame-Options': 'DENY' });
    if (PUBLIC.has(request.path)) next();
    else void admit(authenticator, { request, response, next, log });
  };
}

async function admit(
  authenticator: Authenticator,
  { request, response, next, log }: { request: Request; response: Response; next: NextFunction; log: Logger },
): Promise<void> {
  try {
    const identity = await authenticator.identify(request);
    if (identity !== undefined) setIdentity(request, identity);
    else if (wantsPage(request)) {
      response.redirect(303, `/login?next=${encodeURIComponent(request.originalUrl)}`);
      return;
    } else throw new LatticeError('unauthorized', 'This needs a key.');
  } catch (error) {
    sendProblem(log, request, response, error);
    return;
  }
  next();
}

/** True for a browser that asks for a page, not for a script that takes anything. */
function wantsPage(request: Request): boolean {
  return request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
}
