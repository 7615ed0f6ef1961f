import { eventually } from '../../support/eventually';
import { completed, log, testApi, type TestApi } from './support';

describe('runs over HTTP', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const json = async (path: string) => (await test.call(path)).json();
  const UNKNOWN = '01890000-0000-7000-8000-000000000000';

  it('lists runs newest first, page by page, by status, workflow and tag', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.unshift(await test.submit());
    const first = await json('/v1/runs?limit=2');
    expect(first.runs.map((run: { runId: string }) => run.runId)).toEqual(ids.slice(0, 2));
    const second = await json(`/v1/runs?limit=2&cursor=${first.next}`);
    expect(second.runs.map((run: { runId: string }) => run.runId)).toEqual(ids.slice(2, 4));
    const rest = await json(`/v1/runs?before=${ids[3]}`);
    expect([rest.runs.map((run: { runId: string }) => run.runId), rest.next]).toEqual([[ids[4]], null]);
    expect((await json('/v1/runs?status=pending&workflow=hello')).runs).toHaveLength(5);
    expect((await json('/v1/runs?status=failed')).runs).toEqual([]);
    expect((await json('/v1/runs?tag=none')).runs).toEqual([]);
  });

  it.each([
    ['status=x', '/query/status'],
    ['limit=0', '/query/limit'],
    ['limit=x', '/query/limit'],
    ['before=x', '/query/before'],
    ['workflow=%00', '/query/workflow'],
    ['workflow=a&workflow=b', '/query/workflow'],
    ['state=failed', '/query/state'],
  ])('refuses the query %s', async (query, pointer) => {
    const response = await test.call(`/v1/runs?${query}`);
    expect(response.status).toBe(400);
    expect((await response.json()).faults[0].pointer).toBe(pointer);
  });

  it('knows no run of an id that there is not, whatever it looks like', async () => {
    for (const id of [UNKNOWN, 'x', '%00', '..%2f..']) {
      for (const path of ['', '/wait', '/events', '/tasks/greet/logs']) {
        const response = await test.call(`/v1/runs/${id}${path}`);
        expect([response.status, (await response.json()).code]).toEqual([404, 'run_not_found']);
      }
      expect((await test.post(`/v1/runs/${id}/cancel`, '')).status).toBe(404);
    }
  });

  it('waits for the end of a run, and answers with what there is when the time is over', async () => {
    const runId = await test.submit();
    expect(await json(`/v1/runs/${runId}/wait?timeout=20ms`)).toMatchObject({ status: 'pending' });
    const waiting = json(`/v1/runs/${runId}/wait?timeout=20s`);
    await test.history.write(runId, [{ type: 'run.started' }]);
    await test.history.write(runId, [completed]);
    expect(await waiting).toMatchObject({ status: 'completed', outputs: { done: true } });
    expect((await test.call(`/v1/runs/${runId}/wait?timeout=5`)).status).toBe(400);
  });

  it('stores the wish to cancel, and refuses it once the run has ended', async () => {
    const runId = await test.submit();
    const response = await test.post(`/v1/runs/${runId}/cancel`, '');
    expect([response.status, await response.json()]).toEqual([202, { runId }]);
    const rows = await test.engine.db.query('select kind, payload from outbox where run_id = $1 order by id', [runId]);
    expect(rows).toEqual([
      { kind: 'run', payload: null },
      { kind: 'cancel', payload: { reason: 'cancelled by the key "admin"' } },
    ]);
    await test.history.write(runId, [{ type: 'run.cancelled' }]);
    const late = await test.post(`/v1/runs/${runId}/cancel`, '');
    expect([late.status, (await late.json()).code]).toEqual([409, 'illegal_transition']);
  });

  it('gives logs page by page as JSON, and as a whole as text', async () => {
    const runId = await test.submit();
    await test.history.write(runId, [log('one\n'), log('two\n'), log('three\n')]);
    const path = `/v1/runs/${runId}/tasks/greet/logs`;
    const page = await json(`${path}?limit=2`);
    expect(page.logs.map((entry: { text: string }) => entry.text)).toEqual(['one\n', 'two\n']);
    const rest = await json(`${path}?limit=2&cursor=${page.next}`);
    expect([rest.logs.length, rest.next]).toEqual([1, null]);
    expect((await json(`${path}?attempt=2`)).logs).toEqual([]);
    const text = await test.call(path, { headers: { accept: 'text/plain' } });
    expect([text.headers.get('content-type'), await text.text()]).toEqual([
      'text/plain; charset=utf-8',
      'one\ntwo\nthree\n',
    ]);
    const unknown = await test.call(`/v1/runs/${runId}/tasks/other/logs`);
    expect([unknown.status, (await unknown.json()).code]).toEqual([404, 'task_not_found']);
  });

  describe('server-sent events', () => {
    const follow = (runId: string, after?: string, headers: Record<string, string> = {}) =>
      test.call(`/v1/runs/${runId}/events${after === undefined ? '' : `?after=${after}`}`, { headers });

    it('replays, follows and ends after the final event', async () => {
      const runId = await test.submit();
      const before = await test.history.write(runId, [{ type: 'run.started' }, log('a')]);
      const response = await follow(runId);
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const after = await test.history.write(runId, [log('b'), completed]);
      const messages = (await response.text()).trim().split('\n\n');
      expect(messages).toEqual(
        [...before, ...after].map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}`),
      );
    });

    it('goes on after Last-Event-ID, and says 204 when nothing can come any more', async () => {
      const runId = await test.submit();
      const [first, , last] = await test.history.write(runId, [log('a'), log('b'), completed]);
      const rest = await (await follow(runId, '0', { 'last-event-id': first?.id ?? '' })).text();
      expect(rest.match(/^id: /gm)).toHaveLength(2);
      expect((await (await follow(runId, first?.id)).text()).match(/^id: /gm)).toHaveLength(2);
      expect((await follow(runId, undefined, { 'last-event-id': last?.id ?? '' })).status).toBe(204);
      expect(await (await follow(runId, last?.id)).text()).toBe('');
      expect((await follow(runId, undefined, { 'last-event-id': 'x' })).status).toBe(400);
      expect((await follow(runId, '-1')).status).toBe(400);
    });

    it('lets go of the bus when its last reader is gone', async () => {
      const runId = await test.submit();
      await test.history.write(runId, [log('a')]);
      const { redis, keys } = test.engine.queue;
      const subscribers = async () => Number((await redis.pubsub('NUMSUB', keys.channel('live')))[1]);
      const gone = new AbortController();
      const response = await test.call(`/v1/runs/${runId}/events`, { signal: gone.signal });
      await response.body?.getReader().read();
      expect(await subscribers()).toBe(1);
      gone.abort();
      await eventually('nobody follows', async () => (await subscribers()) === 0);
    });
  });
});
