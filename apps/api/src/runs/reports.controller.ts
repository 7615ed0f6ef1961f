import type { RunLogEntry } from '@lattice/contracts';
import { readRunLog, renderReport, reportRun } from '@lattice/engine';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { queryId, queryInteger, queryText, readQuery } from '../http/read-query';

const logsQuery = {
  task: queryText.optional().describe('Of this task only.'),
  q: queryText.min(1).optional().describe('Only entries that hold this text, in letters of any case.'),
  after: queryId.optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 5_000).default(1_000).describe('Entries of a page, default 1,000.'),
};
const reportQuery = {
  format: z.enum(['json', 'markdown']).optional().describe('Wins over `Accept`.'),
};

/** What is read of a run as a whole: the logs of all its tasks, and a report. */
@ApiTags('runs')
@Controller('v1/runs/:id')
export class ReportsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get('logs')
  @Needs('viewer')
  @ApiOperation({ summary: 'Search the logs of a run', description: 'Entries of all tasks and attempts, in order.' })
  @Queries(logsQuery)
  @Answers({
    200: ['A page of the logs.', 'RunLogPage'],
    400: 'The query has faults.',
    404: 'There is no run of this id.',
  })
  async logs(
    @Param('id') runId: string,
    @Req() request: Request,
  ): Promise<{ logs: RunLogEntry[]; next: string | null }> {
    const { task, ...query } = readQuery(request, logsQuery);
    return readRunLog(this.engine, { ...query, runId, taskKey: task });
  }

  @Get('report')
  @Needs('viewer')
  @ApiOperation({
    summary: 'Read a report of a run',
    description:
      'The run with its summary and tasks, and every attempt with its worker, times and error. With `Accept: text/markdown` or `?format=markdown` as a document to read.',
  })
  @Queries(reportQuery)
  @Answers({
    200: ['The report.', 'RunReport', 'text/markdown'],
    400: 'The query has faults.',
    404: 'There is no run of this id.',
  })
  async report(@Param('id') runId: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { format } = readQuery(request, reportQuery);
    const report = await reportRun(this.engine, runId);
    const accepted = request.accepts(['application/json', 'text/markdown']) === 'text/markdown' ? 'markdown' : 'json';
    if ((format ?? accepted) === 'json') response.json(report);
    else response.type('text/markdown').send(renderReport(report));
  }
}
