import { testApi, type TestApi } from './support';

describe('POST /v1/import/:format', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const file = {
    name: 'an instance',
    schemaVersion: '1.5',
    workflow: {
      specification: {
        tasks: [
          { name: 'a', id: 'a-1', parents: [], children: ['b'] },
          { name: 'b', id: 'b', parents: ['a-1'], children: [] },
        ],
      },
      execution: { tasks: [{ id: 'a-1', runtimeInSeconds: 2, command: { program: 'x' } }] },
    },
  };

  it('gives a document that can be run, notes and the keys of renamed tasks', async () => {
    const response = await test.post('/v1/import/wfformat?body=sleep&scale=0.5', file);
    expect(response.status).toBe(200);
    const imported = await response.json();
    expect(imported).toMatchObject({
      workflow: {
        name: 'an-instance',
        tasks: { a_1: { with: { input: 1000 }, metadata: { command: { program: 'x' } } }, b: { needs: ['a_1'] } },
      },
      keys: { 'a-1': 'a_1' },
    });
    expect(imported.notes).toContain('1 task is not in the execution: b.');
    expect((await test.post('/v1/runs', { workflow: imported.workflow })).status).toBe(202);
  });

  it('does nothing by default, or uses a handler', async () => {
    const noop = await (await test.post('/v1/import/wfformat', file)).json();
    expect(noop.workflow.tasks.b).toMatchObject({ uses: 'transform' });
    const handler = await (await test.post('/v1/import/wfformat?handler=bench.noop', file)).json();
    expect(handler.workflow.tasks.b.uses).toBe('handler/bench.noop');
  });

  it('refuses unknown formats, bad queries and bad files', async () => {
    const refusal = async (path: string, body: unknown): Promise<unknown> => {
      const response = await test.post(path, body);
      const { status, code, faults = [] } = await response.json();
      expect(response.status).toBe(status);
      return [status, code, ...faults.map(({ pointer }: { pointer: string }) => pointer)];
    };
    expect(await refusal('/v1/import/rayflow', file)).toEqual([404, 'not_found']);
    expect(await refusal('/v1/import/toString', file)).toEqual([404, 'not_found']);
    expect(await refusal('/v1/import/wfformat?body=x&scale=-1&handler=%2F&y=1', file)).toEqual([
      400,
      'bad_request',
      '/query/body',
      '/query/scale',
      '/query/handler',
      '/query/y',
    ]);
    expect(await refusal('/v1/import/wfformat', {})).toEqual([422, 'invalid_document', '/name', '/workflow']);
    const unknown = { ...file, workflow: { specification: { tasks: [{ id: 'a', name: 'a', parents: ['b'] }] } } };
    expect(await refusal('/v1/import/wfformat', unknown)).toEqual([
      422,
      'invalid_document',
      '/workflow/specification/tasks/0/parents/0',
    ]);
  });

  it('takes a file larger than a document may be', async () => {
    const task = { name: 'a', id: 'a', parents: [], children: [], inputFiles: ['x'.repeat(9_000_000)] };
    const response = await test.post('/v1/import/wfformat', {
      ...file,
      workflow: { specification: { tasks: [task] } },
    });
    expect(response.status).toBe(200);
    const yaml = await test.post('/v1/import/wfformat', 'name: x', { 'content-type': 'application/yaml' });
    expect(yaml.status).toBe(415);
  });
});
