import { pipeline } from 'node:stream/promises';
import { LEASE_HEADER, LatticeError, type Artifact } from '@lattice/contracts';
import { readForAttempt, saveForAttempt, type HeldAttempt, type Runtime } from '@lattice/engine';
import { Controller, Get, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { identityOf } from '../auth/identity';
import { Needs } from '../auth/scope';
import { RUNTIME } from './worker.gateway';

/**
 * Files of attempts of workers outside, beside their socket: a request for each, so that none holds up another, at whichever process of the
 * API. Part of the protocol of workers (`worker-protocol.ts`), not of the documented API. `attempt` and the lease are those of `execute`.
 */
@ApiExcludeController()
@Controller('v1/worker/artifacts')
export class WorkerArtifactsController {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  /** Saves the body under a name. */
  @Put()
  @Needs('public')
  async save(
    @Query('attempt') attempt: unknown,
    @Query('name') name: unknown,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Artifact> {
    const held = heldBy(request, attempt);
    const file = { name: String(name), body: request, signal: whileConnected(response) };
    return saveForAttempt(this.runtime, held, file);
  }

  /** Gives the bytes of an artifact that the run of the attempt may have. */
  @Get(':id')
  @Needs('public')
  async read(
    @Param('id') id: string,
    @Query('attempt') attempt: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const held = heldBy(request, attempt);
    const bytes = await readForAttempt(this.runtime, held, { id, signal: whileConnected(response) });
    response.setHeader('Content-Type', 'application/octet-stream');
    // A worker that goes away ends the reading; a store that breaks off ends the answer before its end.
    await pipeline(bytes, response).catch(() => response.destroy());
  }
}

/** The attempt that a worker speaks of; its key may do no more than the socket asks of it. */
function heldBy(request: Request, attempt: unknown): HeldAttempt {
  const identity = identityOf(request);
  if (!identity.scopes.includes('worker') && !identity.scopes.includes('admin'))
    throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope worker.`);
  return { id: String(attempt), lease: String(request.headers[LEASE_HEADER]) };
}

function whileConnected(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the worker has gone')));
  return gone.signal;
}
