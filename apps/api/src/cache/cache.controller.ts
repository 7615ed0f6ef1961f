import { clearCache } from '@lattice/engine';
import { Controller, Delete, Inject, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { queryText, readQuery } from '../http/read-query';

const clearQuery = {
  workflow: queryText.optional().describe('Only results of tasks of this workflow.'),
  task: queryText.optional().describe('Only results of the tasks of this key.'),
};

/** The results that are kept for tasks with `cache`. */
@ApiTags('cache')
@Controller('v1/cache')
export class CacheController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Delete()
  @Needs('operator')
  @ApiOperation({ summary: 'Forget kept results', description: 'All of them, or those of a workflow or a task.' })
  @Queries(clearQuery)
  @Answers({ 200: ['How many were forgotten.', 'Cleared'], 400: 'The query has faults.' })
  async clear(@Req() request: Request): Promise<{ cleared: number }> {
    return clearCache(this.engine, readQuery(request, clearQuery));
  }
}
