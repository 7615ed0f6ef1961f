import { problemSchema, scheduleViewSchema, submittedSchema, ticksSchema } from '@lattice/contracts';
import { DOCUMENT, testApi, type TestApi } from './support';

describe('/v1/schedules', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
    expect((await test.post('/v1/workflows', DOCUMENT)).status).toBe(201);
  });
  afterAll(() => test.close());

  const patch = (name: string, body: unknown): Promise<Response> =>
    test.call(`/v1/schedules/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const read = async (response: Promise<Response>, status = 200) => {
    const answer = await response;
    const body: unknown = await answer.json();
    expect([answer.status, body]).toEqual([status, expect.anything()]);
    return scheduleViewSchema.parse(body);
  };
  const refusal = async (response: Promise<Response>): Promise<unknown[]> => {
    const answer = await response;
    const { code, faults = [] } = problemSchema.parse(await answer.json());
    return [answer.status, code, ...faults.map((each) => `${each.code} ${each.pointer}`)];
  };

  it('stores, shows, lists, changes and removes', async () => {
    const body = { name: 'morning', workflow: 'hello', inputs: { who: 'you' }, cron: '0 9 * * 1-5', tags: ['daily'] };
    const created = await read(test.post('/v1/schedules', body), 201);
    expect(created).toMatchObject({
      name: 'morning',
      workflow: 'hello',
      version: null,
      document: null,
      inputs: { who: 'you' },
      cron: '0 9 * * 1-5',
      timezone: 'UTC',
      every: null,
      at: null,
      catchUp: 'last',
      overlap: 'allow',
      paused: false,
      missed: 0,
      lastAt: null,
      lastRunId: null,
      lastError: null,
    });
    expect(created.nextAt).toMatch(/T09:00:00\.000Z$/);
    expect(await read(test.call('/v1/schedules/morning'))).toEqual(created);
    const berlin = await read(patch('morning', { timezone: 'Europe/Berlin', priority: 3 }));
    expect(berlin).toMatchObject({ cron: '0 9 * * 1-5', timezone: 'Europe/Berlin', priority: 3, tags: ['daily'] });
    expect(berlin.nextAt).toMatch(/T0[78]:00:00\.000Z$/);
    expect(await read(patch('morning', { every: '5m' }))).toMatchObject({ cron: null, timezone: null, every: '5m' });
    const replaced = await test.post('/v1/schedules', { ...body, workflow: DOCUMENT, paused: true });
    expect([replaced.status, replaced.headers.get('location')]).toEqual([200, '/v1/schedules/morning']);
    expect(await replaced.json()).toMatchObject({ document: { name: 'hello' }, paused: true, nextAt: null });
    // What is absent from a body leaves a schedule paused.
    expect(await read(test.post('/v1/schedules', body))).toMatchObject({ paused: true, document: null });
    const gone = await test.call('/v1/schedules/morning', { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
    expect(await refusal(test.call('/v1/schedules/morning'))).toEqual([404, 'schedule_not_found']);
    expect(await refusal(test.call('/v1/schedules/morning', { method: 'DELETE' }))).toEqual([
      404,
      'schedule_not_found',
    ]);
    expect(await refusal(patch('no%00', { every: '5m' }))).toEqual([404, 'schedule_not_found']);
  });

  it('tells all faults together', async () => {
    const body = {
      workflow: { name: 'x', tasks: { a: { uses: 'nothing' } } },
      name: 'a b',
      cron: '61 * * * *',
      timezone: 'Mars/Olympus',
      priority: 5_000,
      catchUp: 'some',
      tasks: {},
    };
    const faults = await refusal(test.post('/v1/schedules', body));
    expect(faults.slice(0, 2)).toEqual([422, 'invalid_schedule']);
    expect(faults.slice(2).sort()).toEqual(
      [
        'bad_value /name',
        'bad_value /catchUp',
        'unknown_field /tasks',
        'bad_cron /cron',
        'bad_time_zone /timezone',
        'bad_value /priority',
        'unknown_uses /workflow/tasks/a/uses',
      ].sort(),
    );
    const cases: [unknown, string[]][] = [
      [{ name: 'x' }, ['missing_field /cron', 'missing_field /workflow']],
      [{ name: 'x', workflow: 'unknown', every: '5m' }, ['workflow_not_found /workflow']],
      [{ name: 'x', workflow: 'hello', version: 9, every: '5m' }, ['workflow_not_found /workflow']],
      [{ name: 'x', workflow: 'hello', every: 'often' }, ['bad_duration /every']],
      [{ name: 'x', workflow: 'hello', every: '1ms' }, ['bad_value /every']],
      [{ name: 'x', workflow: 'hello', at: 'tomorrow' }, ['bad_value /at']],
      [{ name: 'x', workflow: 'hello', at: '2020-01-01T00:00:00Z' }, ['bad_value /at']],
      [{ name: 'x', workflow: 'hello', every: '5m', inputs: { where: 1 } }, ['unknown_field /inputs/where']],
      [{ name: 'x', workflow: 'hello', every: '5m', delay: '5s' }, ['unknown_field /delay']],
      [{ name: 'x', workflow: 'hello', every: '5m', at: '2099-01-01T00:00:00Z' }, ['bad_value /at']],
      [{ workflow: 'hello', every: '5m' }, ['missing_field /name']],
      [[], ['bad_type ']],
    ];
    for (const [each, expected] of cases) {
      expect([each, ...(await refusal(test.post('/v1/schedules', each)))]).toEqual([
        each,
        422,
        'invalid_schedule',
        ...expected,
      ]);
    }
    expect(await refusal(test.post('/v1/schedules', '{'))).toEqual([400, 'unparsable']);
    expect((await (await test.call('/v1/schedules')).json()).schedules).toEqual([]);
  });

  it('refuses a bad change and leaves the schedule as it was', async () => {
    const before = await read(test.post('/v1/schedules', { name: 'firm', workflow: 'hello', every: '1h' }), 201);
    expect(await refusal(patch('firm', { name: 'other' }))).toEqual([422, 'invalid_schedule', 'bad_value /name']);
    expect(await refusal(patch('firm', { cron: 'x', colour: 1 }))).toEqual([
      422,
      'invalid_schedule',
      'unknown_field /colour',
      'bad_cron /cron',
    ]);
    expect(await read(test.call('/v1/schedules/firm'))).toEqual(before);
    // The same again keeps its place: no tick is put off by storing a schedule often.
    const again = await read(test.post('/v1/schedules', { name: 'firm', workflow: 'hello', every: '1h' }));
    expect(again.nextAt).toBe(before.nextAt);
  });

  it('pauses, resumes and triggers', async () => {
    await read(test.post('/v1/schedules', { name: 'now-and-then', workflow: 'hello', cron: '0 0 1 1 *' }), 201);
    const post = (verb: string): Promise<Response> =>
      test.call(`/v1/schedules/now-and-then/${verb}`, { method: 'POST' });
    expect(await read(post('pause'))).toMatchObject({ paused: true, nextAt: null });
    expect(await read(post('pause'))).toMatchObject({ paused: true });
    const triggered = await post('trigger');
    expect(triggered.status).toBe(202);
    const { runId } = submittedSchema.parse(await triggered.json());
    expect(await (await test.call(`/v1/runs/${runId}`)).json()).toMatchObject({
      workflow: 'hello',
      version: 1,
      inputs: { who: 'world' },
      schedule: 'now-and-then',
      tick: null,
    });
    expect(await read(post('resume'))).toMatchObject({ paused: false, lastRunId: runId });
    expect((await read(test.call('/v1/schedules/now-and-then'))).nextAt).toMatch(/-01-01T00:00:00\.000Z$/);
    expect(await refusal(test.call('/v1/schedules/none/trigger', { method: 'POST' }))).toEqual([
      404,
      'schedule_not_found',
    ]);
  });

  it('previews ticks, of stored schedules and of others', async () => {
    const next = await test.call('/v1/schedules/now-and-then/next?count=3');
    const { ticks } = ticksSchema.parse(await next.json());
    const year = new Date().getUTCFullYear();
    expect(ticks).toEqual([1, 2, 3].map((n) => `${year + n}-01-01T00:00:00.000Z`));
    const preview = await test.post('/v1/schedules/preview?count=2', { every: '1h', startAt: '2099-01-01T00:00:00Z' });
    expect(await preview.json()).toEqual({ ticks: ['2099-01-01T00:00:00.000Z', '2099-01-01T01:00:00.000Z'] });
    expect(await refusal(test.post('/v1/schedules/preview', { cron: 'x' }))).toEqual([
      422,
      'invalid_schedule',
      'bad_cron /cron',
    ]);
    expect(await refusal(test.call('/v1/schedules/now-and-then/next?count=1000'))).toEqual([
      400,
      'bad_request',
      'bad_value /query/count',
    ]);
  });

  it('lists in pages', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      await read(test.post('/v1/schedules', { name, workflow: DOCUMENT, every: '1h' }), 201);
    }
    const names: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page = await (await test.call(`/v1/schedules?limit=2&cursor=${next}`)).json();
      names.push(...page.schedules.map(({ name }: { name: string }) => name));
      next = page.next;
    }
    expect(names).toEqual(['firm', 'now-and-then', 'p1', 'p2', 'p3']);
  });

  it('needs the scope', async () => {
    const made = await (await test.post('/v1/keys', { name: 'reader', scope: 'viewer' })).json();
    const body = JSON.stringify({ name: 'x', workflow: 'hello', every: '5m' });
    const headers = { 'content-type': 'application/json' };
    const key: string = made.key;
    expect((await test.call('/v1/schedules', { method: 'POST', headers, body, key })).status).toBe(403);
    expect((await test.call('/v1/schedules/p1', { method: 'DELETE', key })).status).toBe(403);
    expect((await test.call('/v1/schedules', { key })).status).toBe(200);
  });
});
