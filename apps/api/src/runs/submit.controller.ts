import { durationSchema, prioritySchema, PRIORITY_LIMIT, submitRunSchema } from '@lattice/contracts';
import {
  DocumentCache,
  LiveHub,
  SendAtOnce,
  submissionOfJson,
  submissionOfYaml,
  submitRun,
  type Submission,
} from '@lattice/engine';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { identityOf } from '../auth/identity';
import { Needs } from '../auth/scope';
import { Answers, Queries, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { IDEMPOTENCY_KEY, readIdempotencyKey } from '../http/idempotency-key';
import { readBody } from '../http/read-body';
import { queryInteger, queryList, readQuery } from '../http/read-query';

const yamlQuery = {
  inputs: z.string().optional().describe('The inputs as JSON.'),
  priority: queryInteger(-PRIORITY_LIMIT, PRIORITY_LIMIT)
    .optional()
    .describe(prioritySchema.description ?? ''),
  delay: durationSchema.optional().describe('Not to be started before this time has passed: 30s, 5m.'),
  deadline: submitRunSchema.shape.deadline,
  tag: queryList.optional().describe('May be given several times.'),
};
const noQuery = {};

/** POST /v1/runs: the way in. */
@ApiTags('runs')
@Controller('v1/runs')
export class SubmitController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly documents: DocumentCache,
    private readonly sender: SendAtOnce,
    private readonly hub: LiveHub,
  ) {}

  @Post()
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('SubmitRun', 'WorkflowDocument'),
    summary: 'Submit a run',
    description:
      'JSON: `{workflow: name or document, ...}`. YAML: the body IS the document, and the rest goes into the query. The run is stored when the answer comes; it starts as soon as a worker is free.',
  })
  @ApiHeader(IDEMPOTENCY_KEY)
  @Queries(yamlQuery)
  @Answers({
    202: ['The run is stored.', 'Submitted'],
    200: ['The Idempotency-Key stands for this run already.', 'Submitted'],
    400: 'The body is not JSON or YAML, or its fields have faults.',
    404: 'There is no workflow of this name or version.',
    409: 'The Idempotency-Key was used with another body.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is neither JSON nor YAML.',
    422: 'The document or the inputs have faults; all are listed.',
    429: 'The concurrency limit of the workflow is reached, and its policy is to refuse.',
  })
  async submit(@Req() request: Request, @Res() response: Response): Promise<void> {
    const idempotencyKey = readIdempotencyKey(request);
    const submission = await this.read(request, response);
    const { runId, created } = await submitRun(this.engine, {
      submission,
      documents: this.documents,
      apiKeyId: identityOf(request).keyId,
      idempotencyKey,
      sender: this.sender,
      onStored: (stored) => this.hub.expect(stored),
    });
    response
      .status(created ? 202 : 200)
      .location(`/v1/runs/${runId}`)
      .json({ runId });
  }

  private async read(request: Request, response: Response): Promise<Submission> {
    const { text, format } = await readBody(request, response);
    if (format === 'yaml') return submissionOfYaml(text, readQuery(request, yamlQuery), this.documents);
    readQuery(request, noQuery);
    return submissionOfJson(text, this.documents);
  }
}
