import { servedPlatform, type Served } from '../../support/rest';

let served: Served;
let rest: Served['rest'];
let client: Served['client'];

beforeAll(async () => {
  served = await servedPlatform('the-worker');
  ({ rest, client } = served);
});
afterAll(() => served.close());

const ECHO = { a: { uses: 'handler/echo', with: { x: '${{ inputs.x }}' } } };
const inputs = { x: { type: 'any' } };

async function ended(workflow: Record<string, unknown>, rest_: Record<string, unknown> = {}): Promise<string> {
  const { runId } = await client.submit({ workflow, ...rest_ });
  await client.wait(runId);
  return runId;
}

const listed = async (query: string): Promise<string[]> =>
  (await rest.json(200, `/v1/runs?${query}`)).runs.map(({ runId }: { runId: string }) => runId);

describe('GET /v1/runs', () => {
  let good: string;
  let bad: string;
  let waiting: string;
  beforeAll(async () => {
    good = await ended(
      { name: 'Reporting', inputs, tasks: ECHO },
      { inputs: { x: 'Zürich "quoted"\n' }, tags: ['Blue'] },
    );
    bad = await ended({ name: 'breaking', tasks: { a: { uses: 'handler/fail' } } });
    waiting = (await client.submit({ workflow: { name: 'later', inputs, tasks: ECHO }, delay: '1h' })).runId;
  });

  it.each([
    ['one state', () => 'status=failed', () => [bad]],
    ['several states', () => 'status=failed&status=pending', () => [waiting, bad]],
    ['text of the workflow, any case', () => 'q=REPORT', () => [good]],
    ['text of a tag', () => 'q=blue', () => [good]],
    ['text of an error', () => 'q=attempt%201%20fails', () => [bad]],
    ['text of an input, escaped in JSON', () => `q=${encodeURIComponent('ürich "quoted"\n')}`, () => [good]],
    ['begin of the id', () => `q=${good.slice(0, 30)}`, () => [good]],
    ['no such text', () => 'q=nowhere', () => []],
    ['worker', () => 'worker=the-worker', () => [bad, good]],
    ['worker and state', () => 'worker=the-worker&status=completed', () => [good]],
    ['no such worker', () => 'worker=nobody', () => []],
    [
      'time from',
      () => `createdAfter=${encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString())}`,
      () => [waiting, bad, good],
    ],
    ['time to', () => 'createdBefore=2020-01-01', () => []],
  ])('finds runs by %s', async (_, query, expected) => {
    expect(await listed(query())).toEqual(expected());
  });

  it('has times to the millisecond: from is within, before is not', async () => {
    const { createdAt } = await client.getRun(bad);
    const at = encodeURIComponent(createdAt);
    expect(await listed(`createdAfter=${at}`)).toContain(bad);
    expect(await listed(`createdBefore=${at}`)).not.toContain(bad);
  });

  it('keeps its pages while new runs come, also when it searches', async () => {
    const tag = 'paged';
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift(await ended({ name: 'paged', inputs, tasks: ECHO }, { tags: [tag] }));
    for (const filter of ['tag=paged', 'q=paged']) {
      const first = await rest.json(200, `/v1/runs?${filter}&limit=2`);
      await ended({ name: 'paged', inputs, tasks: ECHO }, { tags: [tag] });
      const second = await rest.json(200, `/v1/runs?${filter}&limit=10&cursor=${first.next}`);
      const ids = [...first.runs, ...second.runs].map(({ runId }: { runId: string }) => runId);
      expect(ids.slice(-5)).toEqual(made);
      expect(new Set(ids).size).toBe(ids.length);
      expect(second.next).toBeNull();
    }
  });

  it('says what is wrong with a filter', async () => {
    expect(await rest.json(400, '/v1/runs?status=done&createdAfter=yesterday&q=')).toMatchObject({
      code: 'bad_request',
      faults: [
        { pointer: '/query/status', message: expect.stringContaining('one of "pending"') as string },
        { pointer: '/query/createdAfter' },
        { pointer: '/query/q' },
      ],
    });
  });
});

it('finds texts in letters of any case of any alphabet, in runs and in their logs', async () => {
  const source = 'export default () => { console.log("ÄÖÜ straße Ж") }';
  const tasks = { say: { uses: 'code', with: { language: 'javascript', source } } };
  const runId = await ended({ name: 'letters', tasks }, { tags: ['Größe ДЖ'] });
  for (const text of ['ÄÖÜ', 'äöü', 'STRAßE ж']) {
    const { logs } = await rest.json(200, `/v1/runs/${runId}/logs?q=${encodeURIComponent(text)}`);
    expect([text, logs.length]).toEqual([text, 1]);
  }
  for (const text of ['Größe ДЖ', 'GRÖßE', 'größe дж']) {
    expect([text, await listed(`q=${encodeURIComponent(text)}`)]).toEqual([text, [runId]]);
  }
});

describe('logs and reports', () => {
  const source = (text: string) => `export default () => { ${text} }`;
  const code = (text: string, more: Record<string, unknown> = {}) => ({
    uses: 'code',
    with: { language: 'javascript', source: source(text) },
    ...more,
  });
  let runId: string;
  beforeAll(async () => {
    runId = await ended({
      name: 'talking',
      onFailure: 'continue',
      tasks: {
        one: code(`console.log('Alpha "1"'); console.error('beta')`),
        two: code(`console.log('stdout is a word, alpha too'); throw new Error('a | pipe <b>')`, {
          retry: { maxAttempts: 2, initialDelay: '1ms' },
          needs: 'one',
        }),
        never: code('', { needs: 'two' }),
      },
    });
  });

  it('logs of all tasks are found by text, task and page', async () => {
    const all = await client.searchLogs(runId);
    expect(new Set(all.map(({ taskKey }) => taskKey))).toEqual(new Set(['one', 'two']));
    const found = await client.searchLogs(runId, { q: 'ALPHA' });
    expect(found.map(({ taskKey, attempt }) => [taskKey, attempt])).toEqual([
      ['one', 1],
      ['two', 1],
      ['two', 2],
    ]);
    expect(await client.searchLogs(runId, { q: 'alpha "1"', task: 'one' })).toHaveLength(1);
    // The name of the stream is no text of the log.
    expect(await client.searchLogs(runId, { q: 'stdout', task: 'one' })).toEqual([]);
    const page = await rest.json(200, `/v1/runs/${runId}/logs?q=alpha&limit=2`);
    expect(page.logs).toHaveLength(2);
    const rest_ = await rest.json(200, `/v1/runs/${runId}/logs?q=alpha&limit=2&after=${page.next}`);
    expect([rest_.logs.length, rest_.next]).toEqual([1, null]);
    expect((await rest.call('/v1/runs/nobody/logs')).status).toBe(404);
  });

  it('a report has every attempt with its end', async () => {
    const { run, attempts } = await client.report(runId);
    expect(run).toMatchObject({ runId, status: 'failed', summary: { attempts: 3, retries: 1 } });
    expect(attempts.map(({ task, attempt, status, error }) => [task, attempt, status, error?.code])).toEqual([
      ['one', 1, 'completed', undefined],
      ['two', 1, 'failed', 'task_failed'],
      ['two', 2, 'failed', 'task_failed'],
    ]);
    for (const { workerId, level, duration } of attempts) {
      expect([workerId, level]).toEqual(['the-worker', 'subprocess']);
      expect(duration).toBeGreaterThanOrEqual(0);
    }
  });

  it('a report is Markdown for those who ask for it, and nothing breaks out of its tables', async () => {
    const text = await client.reportText(runId);
    expect(text).toContain('# talking: failed');
    expect(text).toContain(`| Run | ${runId} |`);
    expect(text).toContain('## Critical path');
    expect(text).toMatch(/\| two \| failed \| 2 \|/);
    expect(text).toContain('a \\| pipe \\<b\\>');
    expect(text).toMatch(/\| never \| skipped \| 0 \| {2}\| {2}\| dependency\\_failed \|/);
    const response = await rest.call(`/v1/runs/${runId}/report?format=markdown`);
    expect(response.headers.get('content-type')).toContain('text/markdown');
    expect(await response.text()).toBe(text);
    expect((await rest.call(`/v1/runs/${'0'.repeat(8)}/report`)).status).toBe(404);
  });
});
