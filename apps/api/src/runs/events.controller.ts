import { LatticeError, isFinalRun, type RunEvent } from '@lattice/contracts';
import type { Logger } from '@lattice/config';
import { LiveHub, readRunStatus } from '@lattice/engine';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { abortOnClose } from '../http/abort-on-close';
import { queryId, readQuery } from '../http/read-query';
import { WriteTurns } from '../socket/write-turns';
import { EventStream } from './event-stream';

const eventsQuery = { after: queryId.optional().describe('Only events after this id.') };

/** GET /v1/runs/:id/events: the events of a run as server-sent events. */
@ApiTags('runs')
@Controller('v1/runs/:id/events')
export class EventsController {
  private readonly turns = new WriteTurns();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly hub: LiveHub,
  ) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({
    summary: 'Follow a run',
    description:
      'Server-sent events: those that were, then those to come, each once. `id:` is the id of the event, `event:` its type. The stream ends after the final event.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Go on after this id; wins over `after`.' })
  @Queries(eventsQuery)
  @Answers({
    200: ['A stream of events.', 'RunEvent', 'text/event-stream'],
    204: 'The run has ended and there is nothing after this id; a browser stops asking.',
    400: 'The id is none.',
    404: 'There is no run of this id.',
  })
  async follow(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const resumed = readLastEventId(request);
    const { after } = readQuery(request, eventsQuery);
    const status = await readRunStatus(this.engine, id);
    const signal = abortOnClose(response);
    const events = this.hub.follow(id, resumed ?? after ?? '0', { signal });
    const first = resumed !== undefined && isFinalRun(status) ? await events.next() : undefined;
    if (first?.done === true) {
      response.status(204).end();
      return;
    }
    const stream = new EventStream(response, this.turns);
    await pump(this.engine.log, stream, { first: first?.value, events });
  }
}

async function pump(
  log: Logger,
  stream: EventStream,
  { first, events }: { first: readonly RunEvent[] | undefined; events: AsyncIterable<readonly RunEvent[]> },
): Promise<void> {
  try {
    if (first !== undefined) await stream.send(first);
    for await (const batch of events) await stream.send(batch);
    stream.end();
  } catch (error) {
    // The client comes back by itself, with the id of the last event it has.
    log.info({ reason: error instanceof Error ? error.message : String(error) }, 'a stream of events was cut off');
    stream.cut(error);
  }
}

function readLastEventId(request: Request): string | undefined {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  const id = queryId.safeParse(header);
  if (id.success) return id.data;
  throw new LatticeError('bad_request', 'Last-Event-ID is not the id of an event.');
}
