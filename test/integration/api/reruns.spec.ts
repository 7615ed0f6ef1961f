import { servedPlatform, type Served } from '../../support/rest';

let served: Served;
let rest: Served['rest'];
let client: Served['client'];

beforeAll(async () => {
  served = await servedPlatform();
  ({ rest, client } = served);
});
afterAll(() => served.close());

const WORKFLOW = {
  name: 'routes',
  tasks: {
    a: { uses: 'handler/echo', with: { n: 1 } },
    b: { uses: 'handler/echo', with: { after: '${{ tasks.a.output.n }}' } },
  },
};

async function completed(): Promise<string> {
  const { runId } = await client.submit({ workflow: WORKFLOW });
  expect(await client.wait(runId)).toMatchObject({ status: 'completed' });
  return runId;
}

describe('POST /v1/runs/:id/tasks/:key/rerun', () => {
  it('opens the run again at once; attempts are counted on', async () => {
    const runId = await completed();
    const path = `/v1/runs/${runId}/tasks/a/rerun`;
    expect(await rest.json(202, path, { method: 'POST' })).toEqual({ runId });
    const run = await client.wait(runId);
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([2, 2]);
    await client.rerun(runId, 'a', { downstream: false });
    expect((await client.wait(runId)).tasks.map(({ attempts }) => attempts)).toEqual([3, 2]);
  });

  it('refuses what it can not do, with a code', async () => {
    const runId = await completed();
    const path = `/v1/runs/${runId}/tasks`;
    const post = { method: 'POST' } as const;
    expect(await rest.json(404, `${path}/z/rerun`, post)).toMatchObject({ code: 'task_not_found' });
    expect(await rest.json(404, `/v1/runs/${'0'.repeat(8)}/tasks/a/rerun`, post)).toMatchObject({
      code: 'run_not_found',
    });
    expect(await rest.json(400, `${path}/a/rerun`, { ...post, body: { downstream: 'no' } })).toMatchObject({
      code: 'bad_request',
      faults: [{ pointer: '/downstream' }],
    });
    expect(await rest.json(400, `${path}/a/rerun`, { ...post, body: '{' })).toMatchObject({ code: 'unparsable' });
    const waiting = await client.submit({ workflow: WORKFLOW, delay: '1h' });
    expect(await rest.json(409, `/v1/runs/${waiting.runId}/tasks/a/rerun`, post)).toMatchObject({
      code: 'illegal_transition',
    });
  });
});

describe('POST /v1/runs/:id/fork', () => {
  it('makes a new run that says where it came from', async () => {
    const source = await completed();
    const { runId } = await client.fork(source, { from: 'b' });
    const run = await client.wait(runId);
    expect(run).toMatchObject({ status: 'completed', forkedFrom: source });
    expect(run.tasks.map(({ key, reused }) => [key, reused])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    const { runs } = await client.listRuns({ workflow: 'routes', limit: 1 });
    expect(runs).toMatchObject([{ runId, forkedFrom: source }]);
  });

  it('answers a repeat of its Idempotency-Key with the first fork, and faults with their place', async () => {
    const source = await completed();
    const path = `/v1/runs/${source}/fork`;
    const asked = { method: 'POST', headers: { 'idempotency-key': source } } as const;
    const first = await rest.json(202, path, { ...asked, body: { from: ['b'] } });
    expect(await rest.json(200, path, { ...asked, body: { from: ['b'] } })).toEqual(first);
    expect(await rest.json(409, path, { ...asked, body: { from: ['a'] } })).toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await rest.json(400, path, { method: 'POST', body: { from: [] } })).toMatchObject({ code: 'bad_request' });
    expect(await rest.json(400, path, { method: 'POST', body: { from: ['a', 'z'] } })).toMatchObject({
      faults: [{ pointer: '/from/1' }],
    });
    expect(await rest.json(422, path, { method: 'POST', body: { from: 'a', inputs: { z: 1 } } })).toMatchObject({
      code: 'invalid_inputs',
    });
  });
});
