import { testApi, type TestApi } from './support';

describe('signals over HTTP', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const stored = async () =>
    test.engine.db.query({ text: 'select name, payload::text as payload, sender from signals order by id' }, []);

  it('keeps what was sent, with the sender', async () => {
    const runId = await test.submit();
    const answer = await test.post(`/v1/runs/${runId}/signals/go-1`, { n: 1 });
    expect([answer.status, await answer.json()]).toEqual([202, { runId }]);
    expect((await test.call(`/v1/runs/${runId}/signals/empty`, { method: 'POST' })).status).toBe(202);
    expect(await stored()).toMatchObject([
      { name: 'go-1', payload: '{"n":1}', sender: expect.any(String) as string },
      { name: 'empty', payload: 'null' },
    ]);
  });

  it('refuses what is none', async () => {
    const runId = await test.submit();
    const status = async (path: string, body: unknown, headers?: Record<string, string>) =>
      (await test.post(path, body, headers)).status;
    expect(await status('/v1/runs/x/signals/go', {})).toBe(404);
    expect(await status(`/v1/runs/${runId}/signals/${encodeURIComponent('a b')}`, {})).toBe(400);
    expect(await status(`/v1/runs/${runId}/signals/go`, '{"a":')).toBe(400);
    expect(await status(`/v1/runs/${runId}/signals/go`, 'x', { 'Content-Type': 'text/plain' })).toBe(415);
    await test.history.write(runId, [{ type: 'run.completed', data: { outputs: {} } }]);
    const late = await test.post(`/v1/runs/${runId}/signals/go`, {});
    expect([late.status, (await late.json()).code]).toEqual([409, 'illegal_transition']);
  });
});
