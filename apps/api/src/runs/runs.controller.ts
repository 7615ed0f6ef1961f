import { RUN_STATUSES, parseDuration, runIdSchema, type RunList, type RunView } from '@lattice/contracts';
import { LiveHub, readRun, readRuns, requestCancel, requestControl, type RunControl } from '@lattice/engine';
import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { identityOf } from '../auth/identity';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { abortOnClose } from '../http/abort-on-close';
import { queryDuration, queryFlag, queryInteger, queryText, queryTime, readQuery } from '../http/read-query';

const MAX_WAIT_MS = 600_000;
const listQuery = {
  status: z
    .union([z.enum(RUN_STATUSES).transform((status) => [status]), z.array(z.enum(RUN_STATUSES))])
    .optional()
    .describe('May be given several times: any of them.'),
  workflow: queryText.optional(),
  tag: queryText.optional(),
  schedule: queryText.optional().describe('Runs that this schedule made, by the clock or by hand.'),
  createdAfter: queryTime.optional().describe('Created at this time or later.'),
  createdBefore: queryTime.optional().describe('Created before this time.'),
  worker: queryText.optional().describe('A worker that had the last attempt of a task of the run.'),
  q: queryText
    .min(1)
    .optional()
    .describe(
      'A text, in letters of any case, within workflow, tags, schedule, error, reason or inputs; or the begin of the id.',
    ),
  parent: runIdSchema.optional().describe('Runs that tasks of this run started; without it those that nobody started.'),
  before: runIdSchema.optional().describe('Only runs older than this one.'),
  cursor: runIdSchema.optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 1_000).default(50).describe('Of a page, default 50.'),
};
const readRunQuery = {
  tasks: queryFlag.default(true).describe('false leaves the tasks out (`tasks` is empty), but for the summary.'),
};
const waitQuery = {
  timeout: queryDuration(MAX_WAIT_MS)
    .default(parseDuration('30s') ?? 0)
    .describe('How long to wait: 30s, at most 10m.'),
};

/** Runs: list, read, wait for, cancel. */
@ApiTags('runs')
@Controller('v1/runs')
export class RunsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly hub: LiveHub,
  ) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({
    summary: 'List runs, newest first',
    description:
      'Pages stay as they are while new runs come. With `q` or `worker` a page may hold fewer runs than `limit` though `next` is given: the search looks through a bounded number of runs at a time and goes on from there.',
  })
  @Queries(listQuery)
  @Answers({ 200: ['A page of runs.', 'RunList'], 400: 'The query has faults.' })
  async list(@Req() request: Request): Promise<RunList> {
    const { cursor, before = cursor, ...filter } = readQuery(request, listQuery);
    return readRuns(this.engine, { ...filter, before });
  }

  @Get(':id')
  @Needs('viewer')
  @ApiOperation({
    summary: 'Read a run with its tasks',
    description: 'Every task with its result; `summary` has counts, times, the slowest tasks and the critical path.',
  })
  @Queries(readRunQuery)
  @Answers({ 200: ['The run.', 'RunView'], 400: 'The query has faults.', 404: 'There is no run of this id.' })
  async read(@Param('id') id: string, @Req() request: Request): Promise<RunView> {
    return readRun(this.engine, id, readQuery(request, readRunQuery));
  }

  @Get(':id/wait')
  @Needs('viewer')
  @ApiOperation({
    summary: 'Wait for the end of a run',
    description: 'Answers when the run has ended, or with its status of that moment when the time is over.',
  })
  @Queries(waitQuery)
  @Answers({
    200: ['The run as it is now.', 'RunView'],
    400: 'The query has faults.',
    404: 'There is no run of this id.',
  })
  async wait(
    @Param('id') id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    const { timeout } = readQuery(request, waitQuery);
    // Of a run that is not there it returns at once, and the read says so.
    await this.hub.waitForEnd(id, timeout, { signal: abortOnClose(response) });
    return readRun(this.engine, id);
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    summary: 'Cancel a run',
    description: 'The wish is stored when the answer comes; the run is `cancelled` when nothing of it runs any more.',
  })
  @Answers({
    202: ['The run will be cancelled.', 'Submitted'],
    404: 'There is no run of this id.',
    409: 'The run has ended.',
  })
  async cancel(@Param('id') id: string, @Req() request: Request): Promise<{ runId: string }> {
    await requestCancel(this.engine, id, `cancelled by the key "${identityOf(request).name}"`);
    return { runId: id };
  }

  @Post(':id/pause')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    summary: 'Pause a run',
    description: 'What runs goes on to its end; nothing more begins until the run is resumed.',
  })
  @Answers({
    202: ['The run will be paused.', 'Submitted'],
    404: 'There is no run of this id.',
    409: 'The run has ended, or is paused.',
  })
  pause(@Param('id') id: string): Promise<{ runId: string }> {
    return this.control(id, 'pause');
  }

  @Post(':id/resume')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({ summary: 'Let a paused run go on' })
  @Answers({
    202: ['The run will go on.', 'Submitted'],
    404: 'There is no run of this id.',
    409: 'The run is not paused.',
  })
  resume(@Param('id') id: string): Promise<{ runId: string }> {
    return this.control(id, 'resume');
  }

  @Post(':id/retry')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    summary: 'Run again what did not complete',
    description:
      'The run keeps its id and the results of its completed tasks; the others are done again. A map keeps the items that completed, a loop goes on at the round that failed, a sub-workflow at its failed tasks.',
  })
  @Answers({
    202: ['The run goes on.', 'Submitted'],
    404: 'There is no run of this id.',
    409: 'The run has not ended, or has completed.',
  })
  retry(@Param('id') id: string): Promise<{ runId: string }> {
    return this.control(id, 'retry');
  }

  private async control(id: string, control: RunControl): Promise<{ runId: string }> {
    await requestControl(this.engine, id, control);
    return { runId: id };
  }
}
