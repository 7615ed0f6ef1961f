import type { LogEntry } from '@lattice/contracts';
import { readTaskLog } from '@lattice/engine';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { queryId, queryInteger, readQuery } from '../http/read-query';

const PAGE = 1_000;
const logQuery = {
  attempt: queryInteger(1, 1_000_000).optional().describe('Of this attempt only.'),
  after: queryId.optional().describe('Only entries after this one.'),
  cursor: queryId.optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 5_000)
    .optional()
    .describe('Entries of a page, default 1,000; text without it is the whole log.'),
};

/** Logs of tasks, as JSON or as plain text. */
@ApiTags('runs')
@Controller('v1/runs/:id/tasks/:key/logs')
export class LogsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'Read the log of a task', description: 'With `Accept: text/plain` the text alone.' })
  @Queries(logQuery)
  @Answers({
    200: ['A page of the log.', 'LogPage', 'text/plain'],
    400: 'The query has faults.',
    404: 'There is no such run, or no such task in it.',
  })
  async read(
    @Param('id') runId: string,
    @Param('key') taskKey: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { attempt, cursor, after = cursor, limit } = readQuery(request, logQuery);
    const query = { runId, taskKey, attempt, after, limit: limit ?? PAGE };
    const page = await readTaskLog(this.engine, query);
    if (request.accepts(['json', 'text']) !== 'text') {
      response.json(page);
      return;
    }
    response.type('text/plain');
    response.write(textOf(page.logs));
    for (let next = page.next; next !== null && limit === undefined && !response.destroyed;) {
      const more = await readTaskLog(this.engine, { ...query, after: next });
      response.write(textOf(more.logs));
      next = more.next;
    }
    response.end();
  }
}

function textOf(logs: readonly LogEntry[]): string {
  return logs.map((entry) => entry.text).join('');
}
