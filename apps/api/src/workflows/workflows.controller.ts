import { workflowNameSchema, type SavedWorkflow, type Fault } from '@lattice/contracts';
import { DocumentCache, findWorkflow, findWorkflows, saveDocument, versionTag } from '@lattice/engine';
import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Queries, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { isFresh, readTagConditions, tagHeader } from '../http/etag';
import { readBody } from '../http/read-body';
import { queryInteger, queryText, readQuery } from '../http/read-query';

const listQuery = {
  cursor: queryText.optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 1_000).default(100).describe('Of a page, default 100.'),
};
const versionQuery = { version: queryInteger(1, 2_147_483_647).optional().describe('The newest when absent.') };

/** Saved workflows. The body of a POST is the document, as JSON or as YAML. */
@ApiTags('workflows')
@Controller('v1/workflows')
export class WorkflowsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly documents: DocumentCache,
  ) {}

  @Post()
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('WorkflowDocument', 'WorkflowDocument'),
    summary: 'Save a workflow',
    description:
      'A changed document is a new version of its name; the same document again is the version it has. With `If-Match` nobody overwrites what somebody else has saved meanwhile.',
  })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Save only if the newest version has this `ETag` (or is this document already); `*`: if there is one.',
  })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'Save only if the newest version has another `ETag`; `*`: if there is none.',
  })
  @Answers({
    201: ['A new version, with its `ETag`.', 'SavedWorkflow'],
    200: ['The newest version is this document already.', 'SavedWorkflow'],
    400: 'The body is not JSON or YAML.',
    412: 'The newest version is not what `If-Match` or `If-None-Match` ask for; nothing was saved.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is neither JSON nor YAML.',
    422: 'The document has faults; all are listed.',
  })
  async save(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<SavedWorkflow> {
    const read = await this.read(request, response);
    const { saved, created, tag } = await saveDocument(this.engine, read, readTagConditions(request));
    response.status(created ? 201 : 200).set(tagHeader(tag));
    return saved;
  }

  @Post('validate')
  @HttpCode(200)
  @Needs('viewer')
  @ApiOperation({
    requestBody: bodyOf('WorkflowDocument', 'WorkflowDocument'),
    summary: 'Check a document without saving it',
  })
  @Answers({
    200: ['All faults of the document; none when it is valid.', 'Validation'],
    400: 'The body is not JSON or YAML.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is neither JSON nor YAML.',
  })
  async validate(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ valid: boolean; faults: Fault[] }> {
    const read = await this.read(request, response);
    return read.ok ? { valid: true, faults: [] } : { valid: false, faults: read.faults };
  }

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List saved workflows by name, each in its newest version' })
  @Queries(listQuery)
  @Answers({ 200: ['A page of workflows.', 'WorkflowList'], 400: 'The query has faults.' })
  async list(@Req() request: Request): ReturnType<typeof findWorkflows> {
    const { cursor, limit } = readQuery(request, listQuery);
    return findWorkflows(this.engine, { after: cursor, limit });
  }

  @Get(':name')
  @Needs('viewer')
  @ApiOperation({ summary: 'Read a saved workflow' })
  @ApiHeader({ name: 'If-None-Match', required: false, description: '`ETag` of an earlier answer.' })
  @Queries(versionQuery)
  @Answers({
    200: ['The workflow. Its `ETag` changes with the version.', 'SavedWorkflow'],
    304: 'The workflow is what `If-None-Match` names; no body.',
    400: 'The query has faults.',
    404: 'There is no workflow of this name or version.',
  })
  async find(
    @Param('name') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SavedWorkflow | undefined> {
    const { version } = readQuery(request, versionQuery);
    // Postgres refuses some texts; one that can't name a workflow names none.
    const known = workflowNameSchema.safeParse(name).success ? name : '';
    const { documentSha, ...saved } = await findWorkflow(this.engine, known, version);
    return isFresh(request, response, versionTag({ version: saved.version, documentSha })) ? undefined : saved;
  }

  private async read(request: Request, response: Response): Promise<ReturnType<DocumentCache['read']>> {
    const { text, format } = await readBody(request, response);
    return format === 'yaml' ? this.documents.readYaml(text) : this.documents.readJson(text);
  }
}
