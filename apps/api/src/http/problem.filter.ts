import { LatticeError } from '@lattice/contracts';
import type { Logger } from '@lattice/config';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { allowedMethods } from './allowed-methods';
import { toProblem } from './problem';

/** Every error of every route leaves through here, as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') return;
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    sendProblem(this.log, request, response, error);
  }
}

/** Answers a request with the problem that an error stands for. A response that has begun can only be cut off. */
export function sendProblem(log: Logger, request: Request, response: Response, error: unknown): void {
  const { problem, headers, internal } = toProblem(routeError(request, error));
  if (internal !== undefined) {
    log.error({ err: error, errorId: internal, method: request.method, path: request.path }, 'unexpected fault');
  } else if (problem.status >= 500) {
    log.warn({ err: error, method: request.method, path: request.path }, problem.detail);
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response
    .status(problem.status)
    .set({ ...headers, 'Content-Type': 'application/problem+json; charset=utf-8', 'Cache-Control': 'no-store' })
    .end(JSON.stringify(problem));
}

/** "Cannot GET /x" of Express means either that the path is unknown or that it lives with other methods. */
function routeError(request: Request, error: unknown): unknown {
  if (!(error instanceof HttpException) || error.getStatus() !== 404) return error;
  const allow = allowedMethods(request);
  if (allow.length === 0) return new LatticeError('not_found', `Nothing lives at ${request.path}.`);
  return new LatticeError('method_not_allowed', `${request.path} does not take ${request.method}.`, {
    details: { allow: allow.join(', ') },
  });
}
