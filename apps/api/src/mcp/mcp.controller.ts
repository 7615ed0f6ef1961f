import { Readable } from 'node:stream';
import { LatticeError } from '@lattice/contracts';
import { DocumentCache, LiveHub, SendAtOnce, parseJsonBody, type Identity } from '@lattice/engine';
import type { Access } from '@lattice/mcp';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { identityOf } from '../auth/identity';
import { Needs, requireScope } from '../auth/scope';
import { AnswersOrStream, Queries, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { abortOnClose } from '../http/abort-on-close';
import { toProblem } from '../http/problem';
import { readJsonText } from '../http/read-body';
import { queryFlag, readQuery } from '../http/read-query';
import { checkOrigin } from './check-origin';
import { enginePlatform } from './engine-platform';

const mcpQuery = {
  readOnly: queryFlag.default(false).describe('true: only tools that change nothing.'),
  workflows: queryFlag.default(false).describe('true: each saved workflow is a tool of its own, too.'),
};

/** POST /v1/mcp: the Model Context Protocol over Streamable HTTP, without sessions. */
@ApiTags('mcp')
@Controller('v1/mcp')
export class McpController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly hub: LiveHub,
    private readonly documents: DocumentCache,
    private readonly sender: SendAtOnce,
  ) {}

  @Post()
  @Needs('viewer')
  @ApiOperation({
    requestBody: bodyOf('McpMessage'),
    summary: 'Speak the Model Context Protocol',
    description:
      'A message of MCP (Streamable HTTP), for AI assistants: their tools list, run, read and control workflows. Nothing is kept between messages. The answer is JSON, or a stream of events for a call that asks for progress. Tools that change something need the scope operator.',
  })
  @ApiHeader({ name: 'MCP-Protocol-Version', required: false, description: 'The version that was agreed upon.' })
  @Queries(mcpQuery)
  @AnswersOrStream('McpAnswer', {
    200: 'The answer to a request.',
    202: 'There is nothing to answer.',
    400: 'The body is not JSON or no single message of JSON-RPC 2.0, or the version is not known.',
    403: 'The key lacks the scope, or a page of another origin asks.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async answer(@Req() request: Request, @Res() response: Response): Promise<void> {
    checkOrigin(request);
    requireKey(request);
    const options = readQuery(request, mcpQuery);
    const message = parseJsonBody(await readJsonText(request, response));
    // Loaded when it is first asked for: most processes of the API never are.
    const { answerMessage } = await import('@lattice/mcp');
    const header = request.headers['mcp-protocol-version'];
    const protocolVersion = typeof header === 'string' ? header : undefined;
    const signal = abortOnClose(response);
    const access = this.accessOf(request, identityOf(request));
    await send(response, await answerMessage(access, options, { message, protocolVersion, signal }));
  }

  private accessOf(request: Request, identity: Identity): Access {
    const { engine, hub, documents, sender } = this;
    return {
      platform: enginePlatform({ engine, hub, documents, sender }, identity),
      require: (need) => requireScope(request, need),
      refusalOf: (error) => {
        const { problem, headers, internal } = toProblem(error);
        if (internal !== undefined) engine.log.error({ err: error, errorId: internal }, 'unexpected fault in a tool');
        const retryAfter = headers['Retry-After'];
        return {
          code: problem.code,
          message: problem.detail,
          faults: problem.faults,
          retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
        };
      },
    };
  }
}

/** The session of a browser is for its pages; assistants have a key. */
function requireKey(request: Request): void {
  if (request.headers.authorization === undefined)
    throw new LatticeError(
      'unauthorized',
      'MCP takes a key in the header Authorization, not the session of a browser.',
    );
}

async function send(response: Response, answer: globalThis.Response): Promise<void> {
  const type = answer.headers.get('content-type');
  response.status(answer.status).set('Cache-Control', 'no-store');
  if (answer.body === null || type === null) {
    response.end();
    return;
  }
  if (!type.startsWith('text/event-stream')) {
    response.type('application/json').end(await answer.text());
    return;
  }
  response.set({ 'Content-Type': type, 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  const events = Readable.fromWeb(answer.body);
  events.on('error', () => response.destroy());
  response.once('close', () => events.destroy());
  events.pipe(response);
}
