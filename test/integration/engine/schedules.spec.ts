import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScheduleView } from '@lattice/contracts';
import {
  DocumentCache,
  pauseSchedule,
  readSchedule,
  removeSchedule,
  saveDocument,
  saveSchedule,
  triggerSchedule,
  type RacePoint,
} from '@lattice/engine';
import { z } from 'zod';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

const SLOW_MS = 120_000;
const quick = { name: 'quick', tasks: { a: { uses: 'handler/noop' } } };
const runRow = z.object({ id: z.string(), tick: z.date().nullable(), created_at: z.date() });

/** A platform with what schedules need beside it. */
class Scheduled {
  readonly documents = new DocumentCache();

  constructor(readonly platform: TestPlatform) {}

  async save(body: Record<string, unknown>): Promise<ScheduleView> {
    const text = JSON.stringify({ name: 'tick', workflow: quick, ...body });
    return (await saveSchedule(this.platform.engine, { text, documents: this.documents })).schedule;
  }

  read(name = 'tick'): Promise<ScheduleView> {
    return readSchedule(this.platform.engine, name);
  }

  pause(name = 'tick'): Promise<ScheduleView> {
    return pauseSchedule(this.platform.engine, name, true);
  }

  /** Runs of a schedule by tick, those triggered by hand last. */
  async runs(name = 'tick'): Promise<z.infer<typeof runRow>[]> {
    const sql = 'select id, tick, created_at from runs where schedule = $1 order by tick nulls last, id';
    const rows = (await this.platform.engine.db.query(sql, [name])).map((row) => runRow.parse(row));
    this.platform.runs.push(...rows.map(({ id }) => id));
    return rows;
  }

  /** Resolves with the runs of a schedule when there are so many. */
  atLeast(count: number, name = 'tick'): Promise<z.infer<typeof runRow>[]> {
    return eventually(
      `${count} runs of ${name}`,
      async () => {
        const runs = await this.runs(name);
        return runs.length >= count ? runs : undefined;
      },
      30_000,
    );
  }

  /** As if no scheduler had been there for so long. */
  async wasAwayFor(minutes: number, name = 'tick'): Promise<void> {
    await this.platform.engine.db.query(
      `update schedules set handled_until = now() - $2 * interval '1 minute', next_at = now() where name = $1`,
      [name, minutes],
    );
  }

  minutesFromNow(minutes: number): string {
    return new Date(Date.now() + minutes * 60_000).toISOString();
  }

  async complete(runs: readonly { id: string }[]): Promise<void> {
    for (const { id } of runs) expect(await this.platform.wait(id)).toMatchObject({ status: 'completed' });
  }
}

async function scheduled(body: (on: Scheduled) => Promise<void>): Promise<void> {
  const platform = await TestPlatform.open({ LATTICE_LOCK: '3s' });
  try {
    await body(new Scheduled(platform));
    await platform.settled();
  } finally {
    await platform.close();
  }
}

/** Each second from the first to the last once, in milliseconds. */
function gapsOf(runs: readonly { tick: Date | null }[]): number[] {
  const ticks = runs.map(({ tick }) => tick?.getTime() ?? Number.NaN);
  return ticks.slice(1).map((tick, index) => tick - (ticks[index] ?? Number.NaN));
}

const seconds = (count: number): number[] => Array.from({ length: count }, () => 1_000);

test.concurrent(
  'two schedulers fire each tick once, when it is due',
  () =>
    scheduled(async (on) => {
      await Promise.all([on.platform.scheduler(), on.platform.scheduler(), on.platform.worker()]);
      await on.save({ cron: '* * * * * *' });
      await on.atLeast(5);
      const view = await on.pause();
      const runs = await on.runs();
      expect(gapsOf(runs)).toEqual(seconds(runs.length - 1));
      expect(view).toMatchObject({ missed: 0, skipped: 0, failed: 0, lastError: null, paused: true, nextAt: null });
      expect(view.lastRunId).toBe(runs.at(-1)?.id);
      for (const { tick, created_at } of runs) {
        expect(created_at.getTime() - (tick?.getTime() ?? 0)).toBeGreaterThanOrEqual(0);
      }
      await on.complete(runs);
      const first = runs[0]?.id ?? '';
      const tick = runs[0]?.tick?.toISOString();
      expect(await on.platform.read(first)).toMatchObject({ schedule: 'tick', tick });
      const [created] = await on.platform.events(first);
      expect(created).toMatchObject({ type: 'run.created', data: { schedule: 'tick', tick } });
    }),
  SLOW_MS,
);

const points: RacePoint[] = ['in-tick', 'after-tick'];
test.concurrent.each(points)(
  'a scheduler that dies %s: another one goes on, each tick once',
  (race) =>
    scheduled(async (on) => {
      await on.platform.worker();
      const racer = await on.platform.spawn({ kind: 'scheduler', race });
      await on.save({ every: '1s', catchUp: 'all' });
      expect(await racer.ended).toBe('SIGKILL');
      const left = (await on.runs()).length;
      expect(left).toBe(race === 'in-tick' ? 0 : 1);
      await on.platform.scheduler();
      await on.atLeast(3);
      await on.pause();
      const runs = await on.runs();
      expect(gapsOf(runs)).toEqual(seconds(runs.length - 1));
      expect((await on.read()).missed).toBe(0);
      await on.complete(runs);
    }),
  SLOW_MS,
);

test.concurrent(
  'two schedulers that are killed in turn fire each tick once',
  () =>
    scheduled(async (on) => {
      await on.platform.worker();
      await on.save({ cron: '* * * * * *', catchUp: 'all' });
      for (let turn = 1; turn <= 2; turn += 1) {
        const [one, other] = await Promise.all([
          on.platform.spawn({ kind: 'scheduler' }),
          on.platform.spawn({ kind: 'scheduler' }),
        ]);
        await on.atLeast(turn * 2 - 1);
        one.kill();
        await on.atLeast(turn * 2);
        other.kill();
        await Promise.all([one.ended, other.ended]);
      }
      await on.platform.scheduler();
      const before = (await on.runs()).length;
      await on.atLeast(before + 1);
      await on.pause();
      const runs = await on.runs();
      expect(gapsOf(runs)).toEqual(seconds(runs.length - 1));
      expect((await on.read()).missed).toBe(0);
      await on.complete(runs);
    }),
  SLOW_MS,
);

describe('catch-up after an hour without schedulers', () => {
  /** Ticks each ten minutes, the last one five minutes ago. */
  const cases = [
    ['skip', 0, 6],
    ['last', 1, 5],
    ['all', 6, 0],
  ] as const;

  test.concurrent.each(cases)(
    '%s makes %i runs and counts %i as missed',
    (catchUp, made, missed) =>
      scheduled(async (on) => {
        await on.save({ every: '10m', startAt: on.minutesFromNow(-125), catchUp });
        await on.wasAwayFor(60);
        await Promise.all([on.platform.scheduler(), on.platform.scheduler(), on.platform.worker()]);
        const view = await eventually('it has caught up', async () => {
          const now = await on.read();
          return Date.parse(now.nextAt ?? '') > Date.now() ? now : undefined;
        });
        expect(view.missed).toBe(missed);
        const runs = await on.runs();
        expect(runs).toHaveLength(made);
        expect(gapsOf(runs)).toEqual(Array.from({ length: Math.max(0, made - 1) }, () => 600_000));
        if (made > 0) expect(view.lastAt).toBe(runs.at(-1)?.tick?.toISOString());
        await on.complete(runs);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'all makes the newest hundred runs, and counts those before',
    () =>
      scheduled(async (on) => {
        await on.save({ every: '20s', startAt: on.minutesFromNow(-125), catchUp: 'all' });
        await on.wasAwayFor(60);
        await Promise.all([on.platform.scheduler(), on.platform.scheduler(), on.platform.worker()]);
        const runs = await on.atLeast(100);
        await on.pause();
        expect(new Set(gapsOf(runs))).toEqual(new Set([20_000]));
        expect((await on.read()).missed).toBeGreaterThanOrEqual(80);
        expect((await on.read()).missed).toBeLessThanOrEqual(81);
        await on.complete(await on.runs());
      }),
    SLOW_MS,
  );
});

test.concurrent(
  'overlap skip: no tick makes a run while the last one goes on',
  () =>
    scheduled(async (on) => {
      await Promise.all([on.platform.scheduler(), on.platform.scheduler(), on.platform.worker()]);
      const file = join(on.platform.folder, 'go');
      const workflow = { name: 'holding', tasks: { a: { uses: 'handler/hold', with: { file } } } };
      await on.save({ workflow, every: '1s', overlap: 'skip' });
      await eventually('two ticks are skipped', async () => ((await on.read()).skipped >= 2 ? true : undefined));
      expect(await on.runs()).toHaveLength(1);
      writeFileSync(file, '');
      await on.atLeast(2);
      await on.pause();
      await on.complete(await on.runs());
    }),
  SLOW_MS,
);

test.concurrent(
  'a paused schedule does nothing until it is resumed, but for a trigger',
  () =>
    scheduled(async (on) => {
      await Promise.all([on.platform.scheduler(), on.platform.worker()]);
      await on.save({ every: '1s', paused: true, catchUp: 'all' });
      await on.save({ name: 'witness', every: '1s' });
      await on.atLeast(2, 'witness');
      expect(await on.runs()).toEqual([]);
      const { runId } = await triggerSchedule(on.platform.engine, { name: 'tick', documents: on.documents });
      expect(await on.runs()).toMatchObject([{ id: runId, tick: null }]);
      expect(await on.read()).toMatchObject({ lastRunId: runId, nextAt: null });
      await removeSchedule(on.platform.engine, 'witness');
      await pauseSchedule(on.platform.engine, 'tick', false);
      const resumed = Date.now();
      const runs = await on.atLeast(2);
      // What passed during the pause is dropped.
      expect(runs[0]?.tick?.getTime()).toBeGreaterThan(resumed - 1_000);
      await on.pause();
      await on.complete([...(await on.runs()), ...(await on.runs('witness'))]);
    }),
  SLOW_MS,
);

test.concurrent(
  'a single tick fires once and promptly, also when the schedule is stored again',
  () =>
    scheduled(async (on) => {
      await Promise.all([on.platform.scheduler(), on.platform.worker()]);
      const at = new Date(Date.now() + 2_000).toISOString();
      expect(await on.save({ at })).toMatchObject({ at, nextAt: at });
      const [run] = await on.atLeast(1);
      expect(run?.tick?.toISOString()).toBe(at);
      // The sweep alone would take up to 5 s: the change was heard of.
      expect((run?.created_at.getTime() ?? 0) - Date.parse(at)).toBeLessThan(3_000);
      expect(await on.save({ at, priority: 5 })).toMatchObject({ nextAt: null, lastRunId: run?.id });
      await expect(on.save({ at: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
        faults: [{ code: 'bad_value', pointer: '/at' }],
      });
      const runs = await on.runs();
      expect(runs).toHaveLength(1);
      await on.complete(runs);
    }),
  SLOW_MS,
);

test.concurrent(
  'a tick whose workflow takes the inputs no more is counted with its reason, and the schedule goes on',
  () =>
    scheduled(async (on) => {
      const { engine } = on.platform;
      const save = (inputs: Record<string, unknown>): Promise<unknown> =>
        saveDocument(engine, on.documents.read({ ...quick, name: 'changing', inputs }));
      await Promise.all([on.platform.scheduler(), on.platform.worker()]);
      await save({});
      await on.save({ workflow: 'changing', every: '1s' });
      await on.atLeast(1);
      await save({ who: { type: 'string', required: true } });
      const failed = await eventually('a tick has failed', async () => {
        const view = await on.read();
        return view.failed > 0 ? view : undefined;
      });
      expect(failed.lastError).toMatchObject({ code: 'invalid_inputs', tick: expect.any(String) as unknown });
      expect(failed.lastError?.message).toContain('/inputs/who');
      const before = (await on.runs()).length;
      await save({});
      await on.atLeast(before + 1);
      await on.pause();
      expect((await on.read()).lastError).toMatchObject({ code: 'invalid_inputs' });
      await on.complete(await on.runs());
    }),
  SLOW_MS,
);

test.concurrent(
  'a workflow that refuses runs above its limit refuses those of ticks and triggers too',
  () =>
    scheduled(async (on) => {
      await Promise.all([on.platform.scheduler(), on.platform.worker()]);
      const file = join(on.platform.folder, 'go');
      const concurrency = { limit: 1, policy: 'reject' };
      const workflow = { name: 'alone', concurrency, tasks: { a: { uses: 'handler/hold', with: { file } } } };
      await on.save({ workflow, every: '1s' });
      const view = await eventually('two ticks are refused', async () => {
        const now = await on.read();
        return now.failed >= 2 ? now : undefined;
      });
      expect(view.lastError).toMatchObject({ code: 'concurrency_limit' });
      const trigger = triggerSchedule(on.platform.engine, { name: 'tick', documents: on.documents });
      await expect(trigger).rejects.toMatchObject({ code: 'concurrency_limit' });
      expect(await on.runs()).toHaveLength(1);
      writeFileSync(file, '');
      await on.atLeast(2);
      await on.pause();
      await on.complete(await on.runs());
    }),
  SLOW_MS,
);

test.concurrent(
  'a schedule that can not be dealt with holds up no other, and loses no tick',
  () =>
    scheduled(async (on) => {
      const { db } = on.platform.engine;
      await on.save({ every: '1s', catchUp: 'all' });
      await on.save({ name: 'other', every: '1s' });
      await db.query(`update schedules set document = null where name = 'tick'`);
      await Promise.all([on.platform.scheduler(), on.platform.worker()]);
      await on.atLeast(2, 'other');
      expect(await on.read()).toMatchObject({ failed: 0, missed: 0, lastError: { code: 'internal' } });
      await db.query(`update schedules set document = $1 where name = 'tick'`, [JSON.stringify(quick)]);
      const runs = await on.atLeast(8);
      expect(gapsOf(runs)).toEqual(seconds(runs.length - 1));
      await Promise.all([on.pause(), on.pause('other')]);
      await on.complete([...(await on.runs()), ...(await on.runs('other'))]);
    }),
  SLOW_MS,
);
