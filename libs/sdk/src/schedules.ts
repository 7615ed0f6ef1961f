import {
  scheduleListSchema,
  scheduleViewSchema,
  submittedSchema,
  ticksSchema,
  type ScheduleBody,
  type SchedulePatch,
  type ScheduleSummary,
  type ScheduleView,
} from '@lattice/contracts';
import { allPages, fit, type Schema } from './parse-body';
import { request, type Call, type CallOptions, type Connection } from './request';

/** When a schedule that is not stored would tick. */
export type Timing = Pick<ScheduleBody, 'cron' | 'timezone' | 'every' | 'startAt' | 'at'>;

const PATH = '/v1/schedules';

/** The schedules of the platform. Every method may throw ApiError, Unreachable, and the reason of an aborted signal. */
export class Schedules {
  constructor(private readonly connection: Connection) {}

  /** Stores a schedule, or replaces the one of its name, which keeps its counts and, when its timing is the same, its place. */
  async save(schedule: ScheduleBody, options: CallOptions = {}): Promise<ScheduleView> {
    const body = { type: 'json', value: schedule } as const;
    return this.parse(scheduleViewSchema, { ...options, method: 'POST', path: PATH, body, repeatable: true });
  }

  /** All schedules by name, without inputs and documents. */
  async list(options: CallOptions = {}): Promise<ScheduleSummary[]> {
    return allPages(async (cursor) => {
      const page = await this.parse(scheduleListSchema, { ...options, method: 'GET', path: PATH, query: { cursor } });
      return { items: page.schedules, next: page.next };
    });
  }

  async get(name: string, options: CallOptions = {}): Promise<ScheduleView> {
    return this.parse(scheduleViewSchema, { ...options, method: 'GET', path: pathOf(name) });
  }

  /** Changes the fields given; `cron`, `every` and `at` replace each other. */
  async change(name: string, patch: SchedulePatch, options: CallOptions = {}): Promise<ScheduleView> {
    const body = { type: 'json', value: patch } as const;
    return this.parse(scheduleViewSchema, {
      ...options,
      method: 'PATCH',
      path: pathOf(name),
      body,
      repeatable: true,
    });
  }

  /** Its runs stay, and go on. */
  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'DELETE', path: pathOf(name) });
  }

  /** Ticks are dropped until it goes on; runs go on. */
  async pause(name: string, options: CallOptions = {}): Promise<ScheduleView> {
    return this.control(name, 'pause', options);
  }

  async resume(name: string, options: CallOptions = {}): Promise<ScheduleView> {
    return this.control(name, 'resume', options);
  }

  /** Makes a run now, beside the ticks, also of a paused schedule. Not repeated by itself when the answer is lost. */
  async trigger(name: string, options: CallOptions = {}): Promise<{ runId: string }> {
    return this.parse(submittedSchema, { ...options, method: 'POST', path: `${pathOf(name)}/trigger` });
  }

  /** The next ticks of a schedule, ISO 8601; 5 when no `count` is given. */
  async next(name: string, options: CallOptions & { count?: number | undefined } = {}): Promise<string[]> {
    const { count, ...call } = options;
    const path = `${pathOf(name)}/next`;
    return (await this.parse(ticksSchema, { ...call, method: 'GET', path, query: { count } })).ticks;
  }

  /** The next ticks of a timing that is not stored. */
  async preview(timing: Timing, options: CallOptions & { count?: number | undefined } = {}): Promise<string[]> {
    const { count, ...rest } = options;
    const body = { type: 'json', value: timing } as const;
    const call: Call = { ...rest, method: 'POST', path: `${PATH}/preview`, query: { count }, body, repeatable: true };
    return (await this.parse(ticksSchema, call)).ticks;
  }

  private async control(name: string, verb: 'pause' | 'resume', options: CallOptions): Promise<ScheduleView> {
    const path = `${pathOf(name)}/${verb}`;
    return this.parse(scheduleViewSchema, { ...options, method: 'POST', path, repeatable: true });
  }

  private async parse<T>(schema: Schema<T>, call: Call): Promise<T> {
    return fit(schema, await request(this.connection, call), this.connection.url);
  }
}

function pathOf(name: string): string {
  return `${PATH}/${encodeURIComponent(name)}`;
}
