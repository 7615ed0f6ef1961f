import { LatticeError, faultsOf, forkRunSchema, rerunTaskSchema } from '@lattice/contracts';
import { parseJsonBody, requestFork, requestRerun } from '@lattice/engine';
import { Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { identityOf } from '../auth/identity';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { IDEMPOTENCY_KEY, readIdempotencyKey } from '../http/idempotency-key';
import { hasBody, readJsonText } from '../http/read-body';

/** Doing finished work again: one task of a run, or a new run from a task on. */
@ApiTags('runs')
@Controller('v1/runs/:id')
export class RerunController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Post('tasks/:key/rerun')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    requestBody: { ...bodyOf('RerunTask'), required: false },
    summary: 'Run a task of an ended run again',
    description:
      'The run keeps its id and is opened again: the task and all that is downstream of it are done again, also tasks that were cancelled; every other result is kept, failures too (`retry` does those again). `{"downstream": false}` is for the task alone: what comes after it keeps results made from its old output. Conditions are asked again.',
  })
  @Answers({
    202: ['The run goes on.', 'Submitted'],
    400: 'The body is not JSON, or has faults.',
    404: 'There is no such run, or no such task in it.',
    409: 'The run has not ended.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async rerun(
    @Param('id') id: string,
    @Param('key') task: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ runId: string }> {
    const text = hasBody(request) ? await readJsonText(request, response) : '{}';
    const { downstream } = parseBody(rerunTaskSchema, text);
    await requestRerun(this.engine, id, { task, downstream });
    return { runId: id };
  }

  @Post('fork')
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('ForkRun'),
    summary: 'Start a new run from a task of another run',
    description:
      'The new run takes over the results of tasks that completed or were skipped, and never does them again, but for the tasks in `from` and all that is downstream of those; what failed, was cancelled or has not ended is done as well. `inputs` may change those that no reused task refers to. The run it starts from may be in any state, and stays as it is.',
  })
  @ApiHeader(IDEMPOTENCY_KEY)
  @Answers({
    200: ['The Idempotency-Key stood for this run already.', 'Submitted'],
    202: ['The new run is stored.', 'Submitted'],
    400: 'The body is not JSON, or has faults, or names a task that is none.',
    404: 'There is no run of this id.',
    409: 'The Idempotency-Key was used with another body, or the run was being opened again.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
    422: 'An input does not fit, or a task that would be reused was made from it; all are listed.',
  })
  async fork(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const idempotencyKey = readIdempotencyKey(request);
    const { from, inputs } = parseBody(forkRunSchema, await readJsonText(request, response));
    const { runId, created } = await requestFork(this.engine, {
      runId: id,
      from: typeof from === 'string' ? [from] : from,
      inputs,
      apiKeyId: identityOf(request).keyId,
      idempotencyKey,
    });
    response
      .status(created ? 202 : 200)
      .location(`/v1/runs/${runId}`)
      .json({ runId });
  }
}

function parseBody<T extends z.ZodType>(schema: T, text: string): z.infer<T> {
  const parsed = schema.safeParse(parseJsonBody(text));
  if (parsed.success) return parsed.data;
  throw new LatticeError('bad_request', 'The body has faults.', { faults: faultsOf(parsed.error) });
}
