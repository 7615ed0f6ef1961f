import type { ScheduleSummary, ScheduleView } from '@lattice/contracts';
import {
  DocumentCache,
  changeSchedule,
  pauseSchedule,
  previewTicks,
  readNextTicks,
  readSchedule,
  readSchedules,
  removeSchedule,
  saveSchedule,
  triggerSchedule,
} from '@lattice/engine';
import { Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Queries, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { readJsonText } from '../http/read-body';
import { queryInteger, queryText, readQuery } from '../http/read-query';

const listQuery = {
  cursor: queryText.optional().describe('`next` of the page before.'),
  limit: queryInteger(1, 1_000).default(100).describe('Of a page, default 100.'),
};
const nextQuery = { count: queryInteger(1, 100).default(5).describe('How many, default 5.') };

const NO_SCHEDULE = 'There is no schedule of this name.';
const BODY_FAULTS = {
  400: 'The body is not JSON.',
  413: 'The body holds more than 8 MiB.',
  415: 'The body is not JSON.',
  422: 'The schedule has faults; all are listed.',
};

/** Schedules: runs by the clock. */
@ApiTags('schedules')
@Controller('v1/schedules')
export class SchedulesController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly documents: DocumentCache,
  ) {}

  @Post()
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('Schedule'),
    summary: 'Store a schedule, or replace the one of its name',
    description:
      'Exactly one of `cron`, `every` and `at` says when. A replaced schedule keeps its counts and, when its timing is the same, its place: no tick comes twice or is lost.',
  })
  @Answers({ 201: ['A new schedule.', 'ScheduleView'], 200: ['It was replaced.', 'ScheduleView'], ...BODY_FAULTS })
  async save(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ScheduleView> {
    const text = await readJsonText(request, response);
    const { schedule, created } = await saveSchedule(this.engine, { text, documents: this.documents });
    response.status(created ? 201 : 200).location(`/v1/schedules/${schedule.name}`);
    return schedule;
  }

  @Post('preview')
  @HttpCode(200)
  @Needs('viewer')
  @ApiOperation({ requestBody: bodyOf('Timing'), summary: 'The next ticks of a timing that is not stored' })
  @Queries(nextQuery)
  @Answers({ 200: ['The ticks; fewer when no more come.', 'Ticks'], ...BODY_FAULTS })
  async preview(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<{ ticks: string[] }> {
    const { count } = readQuery(request, nextQuery);
    return previewTicks(this.engine, await readJsonText(request, response), count);
  }

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List schedules by name' })
  @Queries(listQuery)
  @Answers({ 200: ['A page of schedules.', 'ScheduleList'], 400: 'The query has faults.' })
  async list(@Req() request: Request): Promise<{ schedules: ScheduleSummary[]; next: string | null }> {
    const { cursor, limit } = readQuery(request, listQuery);
    return readSchedules(this.engine, { after: cursor, limit });
  }

  @Get(':name')
  @Needs('viewer')
  @ApiOperation({ summary: 'Read a schedule' })
  @Answers({ 200: ['The schedule.', 'ScheduleView'], 404: NO_SCHEDULE })
  read(@Param('name') name: string): Promise<ScheduleView> {
    return readSchedule(this.engine, name);
  }

  @Patch(':name')
  @Needs('operator')
  @ApiOperation({
    requestBody: bodyOf('SchedulePatch'),
    summary: 'Change fields of a schedule',
    description:
      'What is absent stays. `cron`, `every` and `at` replace each other; a workflow replaces the version too.',
  })
  @Answers({ 200: ['The schedule as it is now.', 'ScheduleView'], 404: NO_SCHEDULE, ...BODY_FAULTS })
  async change(
    @Param('name') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScheduleView> {
    const text = await readJsonText(request, response);
    return changeSchedule(this.engine, { name, text, documents: this.documents });
  }

  @Delete(':name')
  @HttpCode(204)
  @Needs('operator')
  @ApiOperation({ summary: 'Remove a schedule', description: 'Its runs stay, and go on.' })
  @Answers({ 204: 'The schedule is gone.', 404: NO_SCHEDULE })
  remove(@Param('name') name: string): Promise<void> {
    return removeSchedule(this.engine, name);
  }

  @Get(':name/next')
  @Needs('viewer')
  @ApiOperation({
    summary: 'The next ticks of a schedule',
    description: 'Of a paused one: those that would come if it went on now.',
  })
  @Queries(nextQuery)
  @Answers({ 200: ['The ticks; fewer when no more come.', 'Ticks'], 400: 'The query has faults.', 404: NO_SCHEDULE })
  async next(@Param('name') name: string, @Req() request: Request): Promise<{ ticks: string[] }> {
    const { count } = readQuery(request, nextQuery);
    return readNextTicks(this.engine, name, count);
  }

  @Post(':name/pause')
  @HttpCode(200)
  @Needs('operator')
  @ApiOperation({
    summary: 'Pause a schedule',
    description: 'Its ticks are dropped until it goes on; the tick of a schedule with `at` waits. Runs go on.',
  })
  @Answers({ 200: ['The schedule as it is now.', 'ScheduleView'], 404: NO_SCHEDULE })
  pause(@Param('name') name: string): Promise<ScheduleView> {
    return pauseSchedule(this.engine, name, true);
  }

  @Post(':name/resume')
  @HttpCode(200)
  @Needs('operator')
  @ApiOperation({ summary: 'Let a paused schedule go on' })
  @Answers({ 200: ['The schedule as it is now.', 'ScheduleView'], 404: NO_SCHEDULE })
  resume(@Param('name') name: string): Promise<ScheduleView> {
    return pauseSchedule(this.engine, name, false);
  }

  @Post(':name/trigger')
  @HttpCode(202)
  @Needs('operator')
  @ApiOperation({
    summary: 'Make a run of a schedule now',
    description: 'Beside its ticks, also when it is paused and whatever its `overlap`.',
  })
  @Answers({
    202: ['The run is stored.', 'Submitted'],
    404: 'There is no schedule of this name, or its workflow is gone.',
    422: 'The workflow does not take the inputs any more.',
    429: 'The workflow refuses more runs now.',
  })
  async trigger(
    @Param('name') name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ runId: string }> {
    const { runId } = await triggerSchedule(this.engine, { name, documents: this.documents });
    response.location(`/v1/runs/${runId}`);
    return { runId };
  }
}
