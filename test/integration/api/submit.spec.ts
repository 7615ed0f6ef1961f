import { DOCUMENT, testApi, type JsonResponse, type TestApi } from './support';

describe('POST /v1/runs', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const submit = (body: unknown, headers?: Record<string, string>) => test.post('/v1/runs', body, headers);
  const yaml = (path: string, text: string) => test.post(path, text, { 'content-type': 'application/yaml' });
  const faultsOf = async (response: JsonResponse) => {
    const problem = await response.json();
    return problem.faults.map((fault: { code: string; pointer: string }) => `${fault.code} ${fault.pointer}`);
  };

  it('stores a run of a document and says where it is', async () => {
    const response = await submit({ workflow: DOCUMENT, inputs: { who: 'x' }, priority: 7, tags: ['a', 'b', 'a'] });
    expect(response.status).toBe(202);
    const { runId } = await response.json();
    expect(runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(response.headers.get('location')).toBe(`/v1/runs/${runId}`);
    const run = await (await test.call(`/v1/runs/${runId}`)).json();
    expect(run).toMatchObject({
      runId,
      workflow: 'hello',
      version: null,
      status: 'pending',
      priority: 7,
      tags: ['a', 'b'],
      inputs: { who: 'x' },
      outputs: null,
      tasks: [{ key: 'greet', status: 'pending', attempts: 0, output: null }],
    });
  });

  it('tells the schedulers of a new run', async () => {
    const nudged: string[] = [];
    const stop = await test.engine.queue.bus.subscribe('nudge', { onMessage: (text) => nudged.push(text) });
    await submit({ workflow: DOCUMENT });
    await submit({ workflow: DOCUMENT });
    await stop();
    expect(nudged.length).toBeGreaterThan(0);
  });

  it('takes a YAML body as the document, and the rest from the query', async () => {
    const response = await yaml(
      '/v1/runs?priority=-3&tag=x&tag=y&delay=5m&inputs=%7B%22who%22%3A%22q%22%7D',
      JSON.stringify(DOCUMENT),
    );
    expect(response.status).toBe(202);
    const run = await (await test.call(`/v1/runs/${(await response.json()).runId}`)).json();
    expect(run).toMatchObject({ priority: -3, tags: ['x', 'y'], inputs: { who: 'q' } });
    expect(await faultsOf(await yaml('/v1/runs?priority=x&state=y', JSON.stringify(DOCUMENT)))).toEqual([
      'bad_value /query/priority',
      'unknown_field /query/state',
    ]);
    expect(await faultsOf(await yaml('/v1/runs?inputs={', JSON.stringify(DOCUMENT)))).toEqual([
      'bad_value /query/inputs',
    ]);
  });

  it('runs a saved workflow, the newest version or the one named', async () => {
    const first = await (await test.post('/v1/workflows', { ...DOCUMENT, name: 'saved' })).json();
    const again = await test.post('/v1/workflows', { ...DOCUMENT, name: 'saved' });
    expect([again.status, (await again.json()).version]).toEqual([200, first.version]);
    const second = await test.post('/v1/workflows', { ...DOCUMENT, name: 'saved', description: 'changed' });
    expect([second.status, (await second.json()).version]).toEqual([201, 2]);
    const versionOf = async (body: object) => {
      const { runId } = await (await submit(body)).json();
      return (await (await test.call(`/v1/runs/${runId}`)).json()).version;
    };
    expect(await versionOf({ workflow: 'saved' })).toBe(2);
    expect(await versionOf({ workflow: 'saved', version: 1 })).toBe(1);
    for (const body of [
      { workflow: 'nobody' },
      { workflow: 'saved', version: 3 },
      { workflow: 'saved', version: 1e15 },
    ]) {
      const response = await submit(body);
      expect([response.status, (await response.json()).code]).toEqual([404, 'workflow_not_found']);
    }
    expect((await test.call('/v1/workflows/saved?version=1')).status).toBe(200);
    expect((await test.call('/v1/workflows/other')).status).toBe(404);
    const tag = String((await test.call('/v1/workflows/saved')).headers.get('etag'));
    const unchanged = await test.call('/v1/workflows/saved', { headers: { 'if-none-match': `"x", W/${tag}` } });
    expect([unchanged.status, await unchanged.text(), unchanged.headers.get('etag')]).toEqual([304, '', tag]);
    const older = await test.call('/v1/workflows/saved?version=1', { headers: { 'if-none-match': tag } });
    expect(older.status).toBe(200);
    const list = await (await test.call('/v1/workflows')).json();
    expect(list).toMatchObject({ workflows: [{ name: 'saved', version: 2 }], next: null });
  });

  it('saves a workflow only over the version that the client has seen, if it says so', async () => {
    const save = async (description: string, headers: Record<string, string>) => {
      const answer = await test.post('/v1/workflows', { ...DOCUMENT, name: 'edited', description }, headers);
      return { status: answer.status, tag: answer.headers.get('etag') ?? '', ...(await answer.json()) };
    };
    expect(await save('1', { 'if-match': '*' })).toMatchObject({ status: 412, code: 'precondition_failed' });
    const { status, tag } = await save('1', { 'if-none-match': '*' });
    expect([status, tag]).toEqual([201, (await test.call('/v1/workflows/edited')).headers.get('etag')]);
    const saves = ['2', '3'].map((description) => save(description, { 'if-match': `"x", W/${tag}` }));
    expect((await Promise.all(saves)).map((each) => each.status).sort()).toEqual([201, 412]);
    for (const strange of ['', '"', 'x', '"x', tag.replaceAll('"', ''), '"*"']) {
      expect(await save('4', { 'if-match': strange })).toMatchObject({ status: 412, code: 'precondition_failed' });
    }
    expect(await save('4', { 'if-none-match': '*' })).toMatchObject({ status: 412 });
    expect(await save('4', { 'if-match': '*' })).toMatchObject({ status: 201, version: 3 });
    // A repeat of a save whose answer was lost.
    expect(await save('4', { 'if-match': tag })).toMatchObject({ status: 200, version: 3 });
  });

  it('gives the first run for a repeat with the same Idempotency-Key, also when many come at once', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const body = { workflow: DOCUMENT, inputs: { who: 'a' } };
    const responses = await Promise.all(Array.from({ length: 10 }, () => submit(body, key)));
    const ids = await Promise.all(responses.map(async (response) => (await response.json()).runId));
    expect(new Set(ids).size).toBe(1);
    expect(responses.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 202]);
    const reordered = await submit(JSON.stringify({ inputs: { who: 'a' }, workflow: DOCUMENT }, null, 2), key);
    expect([reordered.status, (await reordered.json()).runId]).toEqual([200, ids[0]]);
    const other = await submit({ ...body, priority: 1 }, key);
    expect([other.status, (await other.json()).code]).toEqual([409, 'idempotency_conflict']);
    expect((await submit(body, { 'idempotency-key': '' })).status).toBe(400);
  });

  it('tells all faults of document, fields and inputs together', async () => {
    const bad = { name: 'a b', tasks: { a: { uses: 'nope' }, b: { uses: 'code', needs: 'zz', with: 1 } }, zz: 1 };
    const response = await submit({ workflow: bad, priority: 5_000, delay: 'soon', extra: true });
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await faultsOf(response)).toEqual(
      expect.arrayContaining([
        'bad_value /workflow/name',
        'unknown_field /workflow/zz',
        'unknown_uses /workflow/tasks/a/uses',
        'bad_value /priority',
        'bad_duration /delay',
        'unknown_field /extra',
      ]),
    );
    const inputs = await submit({ workflow: DOCUMENT, inputs: { who: 1, other: 2 }, priority: 'high' });
    expect(inputs.status).toBe(400);
    expect(await faultsOf(inputs)).toEqual([
      'bad_type /priority',
      'unknown_field /inputs/other',
      'bad_type /inputs/who',
    ]);
    expect((await submit({ workflow: DOCUMENT, inputs: { who: 1 } })).status).toBe(422);
  });

  it('says what to do when the body is the document itself', async () => {
    const response = await submit(DOCUMENT);
    expect(response.status).toBe(400);
    expect((await response.json()).faults[0].message).toContain('put it under "workflow"');
  });

  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const withInputs = (text: string) => `{"workflow":${JSON.stringify(DOCUMENT)},"inputs":${text}}`;
  it.each<[what: string, body: string | Uint8Array, status: number, code: string]>([
    ['malformed JSON', '{"workflow":\n "x",}', 400, 'unparsable'],
    ['nothing', '', 400, 'unparsable'],
    ['null', 'null', 400, 'bad_request'],
    ['a list', '[]', 400, 'bad_request'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff]), 400, 'unparsable'],
    ['100,000 levels', deep(100_000), 400, 'unparsable'],
    ['100,000 levels of inputs', withInputs(`{"who":${deep(100_000)}}`), 400, 'unparsable'],
    ['inputs deeper than allowed', withInputs(`{"who":${deep(105)}}`), 422, 'invalid_inputs'],
    ['__proto__ as a field', '{"__proto__":{"x":1},"workflow":"saved"}', 400, 'bad_request'],
    ['__proto__ as an input', withInputs('{"__proto__":{"who":"x"}}'), 422, 'invalid_inputs'],
    ['a number beyond all', withInputs('{"who":1e999}'), 400, 'unparsable'],
    ['a key twice', '{"workflow":"a","workflow":"b"}', 400, 'unparsable'],
    ['NUL in a tag', JSON.stringify({ workflow: DOCUMENT, tags: ['a\0'] }), 400, 'bad_request'],
    ['half a character in a tag', '{"workflow":"saved","tags":["\\ud800"]}', 400, 'bad_request'],
    [
      'NUL in a tag of the document',
      JSON.stringify({ workflow: { ...DOCUMENT, tags: ['\0'] } }),
      422,
      'invalid_document',
    ],
    ['NUL in the name', JSON.stringify({ workflow: 'a\0' }), 400, 'bad_request'],
    ['more than 8 MiB', JSON.stringify({ workflow: 'x'.repeat(8 * 1_048_576) }), 413, 'payload_too_large'],
  ])('refuses %s', async (_what, body, status, code) => {
    const response = await submit(body);
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  });

  it('takes NUL, half characters and large numbers in inputs as they are', async () => {
    const who = 'a\0b\ud800';
    const { runId } = await (await submit({ workflow: DOCUMENT, inputs: { who } })).json();
    expect((await (await test.call(`/v1/runs/${runId}`)).json()).inputs.who).toBe(who);
  });

  it('refuses bombs of YAML aliases, rings of them, and endless nesting', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`);
    const bomb = await yaml('/v1/runs', ['a0: &a0 [x]', ...levels].join('\n'));
    expect([bomb.status, (await bomb.json()).code]).toEqual([400, 'unparsable']);
    expect((await yaml('/v1/runs', 'name: x\ntasks: &t\n  a: *t\n')).status).toBe(400);
    expect((await yaml('/v1/runs', '['.repeat(5_000))).status).toBe(400);
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['application/json; charset="UTF-8"', 404],
    ['application/vnd.x+json', 404],
    ['text/yaml', 422],
  ])('of Content-Type %s answers %d', async (type, status) => {
    expect((await submit('{"workflow":"nobody"}', { 'content-type': type })).status).toBe(status);
  });

  it('does not take a broken or unknown Content-Encoding', async () => {
    expect((await submit('no gzip', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await submit('x', { 'content-encoding': 'lzma' })).status).toBe(415);
  });

  it('validates without storing', async () => {
    const valid = await test.post('/v1/workflows/validate', DOCUMENT);
    expect([valid.status, await valid.json()]).toEqual([200, { valid: true, faults: [] }]);
    const cycle = await test.post('/v1/workflows/validate', {
      name: 'c',
      tasks: { a: { ...DOCUMENT.tasks.greet, needs: 'b' }, b: { ...DOCUMENT.tasks.greet, needs: ['a'] } },
    });
    expect(await cycle.json()).toMatchObject({ valid: false, faults: [{ code: 'cycle' }] });
    const saved = await test.post('/v1/workflows', { name: 'c', tasks: {} });
    expect([saved.status, (await saved.json()).code]).toEqual([422, 'invalid_document']);
  });
});
