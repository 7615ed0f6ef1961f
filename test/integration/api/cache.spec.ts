import { storeCached } from '@lattice/persistence';
import { testApi, type TestApi } from './support';

describe('DELETE /v1/cache', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const RUN = '01890000-0000-7000-8000-000000000000';
  const keep = (key: string, workflow: string, taskKey: string) =>
    storeCached(test.engine.db, { key, workflow, taskKey, runId: RUN, output: '1', ttlMs: 60_000 });
  const clear = async (query: string) => (await test.call(`/v1/cache${query}`, { method: 'DELETE' })).json();

  it('forgets the results of a task, of a workflow, and all', async () => {
    await keep('1', 'v', 'a');
    await keep('2', 'w', 'a');
    await keep('3', 'w', 'b');
    await keep('4', 'x', 'b');
    expect(await clear('?workflow=w&task=a')).toEqual({ cleared: 1 });
    expect(await clear('?workflow=w')).toEqual({ cleared: 1 });
    expect(await clear('?task=c')).toEqual({ cleared: 0 });
    expect(await clear('')).toEqual({ cleared: 2 });
  });

  it('refuses a query that it does not know, and callers without a key', async () => {
    expect((await test.call('/v1/cache?flow=w', { method: 'DELETE' })).status).toBe(400);
    expect((await test.call('/v1/cache', { method: 'DELETE', key: null })).status).toBe(401);
  });
});
