import { parseJsonBody, signalRun } from '@lattice/engine';
import { Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { identityOf } from '../auth/identity';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { readJsonText } from '../http/read-body';

/** What is said to a run from outside. */
@ApiTags('runs')
@Controller('v1/runs')
export class SignalsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Post(':id/signals/:name')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('SignalPayload'),
    summary: 'Send a signal to a run',
    description:
      'A task that waits for a signal of this name takes it, also when it begins to wait only later; each signal is taken by one task. The body, any JSON value, becomes its output. An approval is a signal named like the task that asks for it, with `{"approved": true}` or `false`.',
  })
  @Answers({
    202: ['The signal is stored.', 'Submitted'],
    400: 'The body is not JSON, or the name is none.',
    404: 'There is no run of this id.',
    409: 'The run has ended.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async send(
    @Param('id') runId: string,
    @Param('name') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ runId: string }> {
    const payload = await this.payload(request, response);
    await signalRun(this.engine, { runId, name, payload, sender: identityOf(request).name });
    return { runId };
  }

  /** Nothing at all says null. */
  private async payload(request: Request, response: Response): Promise<unknown> {
    const length = request.headers['content-length'];
    const empty = request.headers['transfer-encoding'] === undefined && (length === undefined || length === '0');
    return empty ? null : parseJsonBody(await readJsonText(request, response));
  }
}
