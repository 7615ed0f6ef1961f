import type { ArtifactList } from '@lattice/contracts';
import { listRunArtifacts } from '@lattice/engine';
import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { queryInteger, queryText, readQuery } from '../http/read-query';

const listQuery = {
  task: queryText.optional().describe('Of this task only.'),
  after: z.uuid().optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 1_000).default(1_000).describe('Artifacts of a page, default 1,000.'),
};

/** What the tasks of a run have left. */
@ApiTags('artifacts')
@Controller('v1/runs/:id/artifacts')
export class RunArtifactsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({
    summary: 'List the artifacts of a run',
    description:
      'Files that its tasks left, and outputs that are too large to be kept inline; of the attempts that count.',
  })
  @Queries(listQuery)
  @Answers({
    200: ['A page of the artifacts.', 'ArtifactList'],
    400: 'The query has faults.',
    404: 'There is no run of this id.',
  })
  async list(@Param('id') runId: string, @Req() request: Request): Promise<ArtifactList> {
    return listRunArtifacts(this.engine, { ...readQuery(request, listQuery), runId });
  }
}
