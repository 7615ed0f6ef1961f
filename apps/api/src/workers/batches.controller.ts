import { LatticeError, faultsOf, flushSchema } from '@lattice/contracts';
import { flushBatches, parseJsonBody, readBatches, type CollectedBatch } from '@lattice/engine';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { readJsonText } from '../http/read-body';

/** Batches that workers collect. */
@ApiTags('workers')
@Controller('v1/batches')
export class BatchesController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List the batches that wait for members, with how many they have' })
  @Answers({ 200: ['As the workers told with their last heartbeat.', 'BatchList'] })
  async list(): Promise<{ batches: CollectedBatch[] }> {
    return { batches: await readBatches(this.engine) };
  }

  @Post('flush')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    requestBody: { ...bodyOf('Flush'), required: false },
    summary: 'Do what has been collected, without waiting for more',
  })
  @Answers({
    202: ['The workers are told.', 'Flush'],
    400: 'The body has faults.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async flush(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ handler?: string | undefined; key?: string | undefined }> {
    const empty = request.headers['content-type'] === undefined;
    const body: unknown = empty ? {} : parseJsonBody(await readJsonText(request, response));
    const parsed = flushSchema.safeParse(body);
    if (!parsed.success) {
      throw new LatticeError('bad_request', 'The flush asked for has faults.', { faults: faultsOf(parsed.error) });
    }
    await flushBatches(this.engine, parsed.data);
    return parsed.data;
  }
}
