import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Logger } from '@lattice/config';
import { LatticeError } from '@lattice/contracts';
import { BoardQueues, type Engine } from '@lattice/engine';
import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { requireScope } from '../auth/scope';
import { sendProblem } from '../http/problem.filter';

export const BOARD_PATH = '/admin/queues';
/** New resource classes show within so many milliseconds. */
const FRESH_MS = 5_000;
/** The page of Bull Board names fonts of another site: nothing but what is here is loaded, and what it shows is nobody else's business. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
/** The adapter types its router as anything. */
const handlerSchema = z.custom<RequestHandler>((value) => typeof value === 'function');

/**
 * The queues of BullMQ as a page, for looking only: every method but GET is refused, because a job removed or retried here
 * would bypass the run it belongs to.
 */
export function queueBoard(engine: Engine, log: Logger): Router {
  const server = new ExpressAdapter();
  server.setBasePath(BOARD_PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Lattice queues' } },
  });
  const queues = new BoardQueues(engine);
  let shownAt = 0;
  const refresh = async (): Promise<void> => {
    if (Date.now() - shownAt < FRESH_MS) return;
    shownAt = Date.now();
    const now = await queues.list();
    board.replaceQueues(now.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })));
  };
  const admit: RequestHandler = (request, response, next) => {
    void (async () => {
      try {
        requireScope(request, 'admin');
        if (request.method !== 'GET' && request.method !== 'HEAD') {
          throw new LatticeError('method_not_allowed', 'The queues are for looking only.', {
            details: { allow: 'GET, HEAD' },
          });
        }
        await refresh();
        response.set('Content-Security-Policy', POLICY);
      } catch (error) {
        sendProblem(log, request, response, error);
        return;
      }
      next();
    })();
  };
  return Router().use(admit, handlerSchema.parse(server.getRouter()));
}
