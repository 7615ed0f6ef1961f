import { LatticeError, drainSchema, faultsOf, type WorkerOrder, type WorkerView } from '@lattice/contracts';
import { parseJsonBody, readWorkers, requestWorkerOrder } from '@lattice/engine';
import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { readJsonText } from '../http/read-body';

type Ordered = { readonly workerId: string; readonly order: WorkerOrder };

/** The workers seen within a day. */
@ApiTags('workers')
@Controller('v1/workers')
export class WorkersController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List workers, the offline ones too' })
  @Answers({ 200: ['All workers.', 'WorkerList'] })
  async list(): Promise<{ workers: WorkerView[] }> {
    return { workers: await readWorkers(this.engine) };
  }

  @Post(':id/drain')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    requestBody: { ...bodyOf('Drain'), required: false },
    summary: 'Let a worker take no new tasks, and be done when the last has ended',
    description: 'It stays, as `drained`, until it is told to uncordon, or ends with `exit`.',
  })
  @Answers({
    202: ['The worker is told.', 'WorkerOrdered'],
    400: 'The body has faults.',
    404: 'There is no worker of this id.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async drain(
    @Param('id') id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Ordered> {
    const empty = request.headers['content-type'] === undefined;
    const body: unknown = empty ? {} : parseJsonBody(await readJsonText(request, response));
    const parsed = drainSchema.safeParse(body);
    if (!parsed.success) {
      throw new LatticeError('bad_request', 'The drain asked for has faults.', { faults: faultsOf(parsed.error) });
    }
    await requestWorkerOrder(this.engine, id, 'drain', parsed.data);
    return { workerId: id, order: 'drain' };
  }

  @Post(':id/cordon')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({ summary: 'Let a worker take no new tasks', description: 'What runs on it goes on.' })
  @Answers({ 202: ['The worker is told.', 'WorkerOrdered'], 404: 'There is no worker of this id.' })
  async cordon(@Param('id') id: string): Promise<Ordered> {
    await requestWorkerOrder(this.engine, id, 'cordon');
    return { workerId: id, order: 'cordon' };
  }

  @Post(':id/uncordon')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({ summary: 'Let a cordoned or drained worker take tasks again' })
  @Answers({ 202: ['The worker is told.', 'WorkerOrdered'], 404: 'There is no worker of this id.' })
  async uncordon(@Param('id') id: string): Promise<Ordered> {
    await requestWorkerOrder(this.engine, id, 'uncordon');
    return { workerId: id, order: 'uncordon' };
  }
}
