import { testApi, type TestApi } from './support';

/** What is wrong with a request is told in one shape, whatever it is, and nothing that stands is lost by it. */
describe('faults of requests', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  it('every problem has a list of faults', async () => {
    const answers = [
      await test.call('/v1/runs/x'),
      await test.call('/v1/nothing'),
      await test.call('/v1/runs', { method: 'PUT' }),
      await test.call('/v1/runs', { headers: { Authorization: 'Bearer no' } }),
      await test.post('/v1/runs', '{'),
      await test.post('/v1/runs', {}),
    ];
    for (const answer of answers) {
      const problem = await answer.json();
      expect(problem).toMatchObject({ status: answer.status, code: expect.any(String) as string });
      expect(Array.isArray(problem.faults)).toBe(true);
    }
  });

  const twice = {
    'application/yaml': 'name: x\ntasks:\n  a: { uses: transform }\n  a: { uses: transform }\n',
    'application/json': '{"name":"x","tasks":{"a":{"uses":"transform"},\n"a":{"uses":"transform"}}}',
  };
  it.each(Object.entries(twice))('a task that comes twice is a fault of the document (%s)', async (type, text) => {
    const headers = { 'content-type': type };
    const fault = { code: 'duplicate', message: expect.stringMatching(/duplicate.*line \d/i) as string };
    const check = await (await test.post('/v1/workflows/validate', text, headers)).json();
    expect(check).toMatchObject({ valid: false, faults: [fault] });
    const saved = await test.post('/v1/workflows', text, headers);
    expect([saved.status, await saved.json()]).toMatchObject([422, { code: 'invalid_document', faults: [fault] }]);
    const body = type === 'application/json' ? `{"workflow":${text}}` : text;
    const run = await test.post('/v1/runs', body, headers);
    expect([400, 422]).toContain(run.status);
    expect(await run.json()).toMatchObject({ faults: [fault] });
  });

  const inexact = {
    'application/yaml': 'name: x\ntasks:\n  a: { uses: transform, with: 9007199254740993 }\n',
    'application/json': '{"name":"x","tasks":{"a":{"uses":"transform","with":9007199254740993}}}',
  };
  it.each(Object.entries(inexact))('a number that would become another one is a fault (%s)', async (type, text) => {
    const headers = { 'content-type': type };
    const fault = { code: 'number_out_of_range', message: expect.stringContaining('9007199254740993') as string };
    const check = await (await test.post('/v1/workflows/validate', text, headers)).json();
    expect(check).toMatchObject({ valid: false, faults: [fault] });
    const body = type === 'application/json' ? `{"workflow":${text}}` : text;
    const run = await test.post('/v1/runs', body, headers);
    expect([400, 422]).toContain(run.status);
    expect(await run.json()).toMatchObject({ faults: [fault] });
  });

  it('an answer that no approval could read is refused, and the task goes on waiting', async () => {
    const workflow = {
      name: 'ask',
      tasks: {
        ask: { uses: 'wait', with: { approval: { message: 'Go on?' } } },
        go: { uses: 'wait', with: { signal: 'go' } },
      },
    };
    const { runId } = await (await test.post('/v1/runs', { workflow })).json();
    for (const answer of [null, 'yes', [], {}, { approved: 'yes' }]) {
      const refused = await test.post(`/v1/runs/${runId}/signals/ask`, JSON.stringify(answer));
      expect([refused.status, (await refused.json()).code]).toEqual([400, 'bad_request']);
    }
    expect((await test.call(`/v1/runs/${runId}/signals/ask`, { method: 'POST' })).status).toBe(400);
    expect((await test.post(`/v1/runs/${runId}/signals/ask`, { approved: true, comment: 'fine' })).status).toBe(202);
    expect((await test.call(`/v1/runs/${runId}/signals/go`, { method: 'POST' })).status).toBe(202);
  });
});
