import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocumentText } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { McpTest, TRANSPORTS, type Assistant } from './support';

const root = join(__dirname, '..', '..', '..');
const HELLO = readFileSync(join(root, 'examples', 'hello.yaml'), 'utf8');
const GOLDEN: { name: string; annotations: { readOnlyHint: boolean } }[] = JSON.parse(
  readFileSync(join(root, 'libs', 'mcp', 'golden', 'tools.json'), 'utf8'),
);
const javascript = (source: string) => ({ uses: 'code', with: { language: 'javascript', source } });
const ECHO = {
  name: 'echo',
  description: 'Says what it is told.',
  inputs: {
    said: { type: 'string', required: true, description: 'What to say' },
    often: { type: 'integer', default: 1 },
  },
  tasks: { echo: { uses: 'transform', with: '${{ inputs.said }}' } },
  outputs: { said: '${{ tasks.echo.output }}' },
};
const ASK = { name: 'ask', tasks: { ask: { uses: 'wait', with: { approval: { message: 'Go on?' } } } } };
const PAUSES = { name: 'pauses', tasks: { first: { uses: 'wait', with: { signal: 'go' } } } };
const NOBODY = { name: 'nobody', tasks: { a: { uses: 'handler/nobody-has-it' } } };
const FAILS = {
  name: 'fails',
  tasks: { bad: javascript('export default () => { console.log("No luck"); throw new Error("over"); }') },
};
const LONG = { name: 'long', tasks: { long: javascript('export default () => "x".repeat(9000)') } };
const LOUD = {
  name: 'loud',
  tasks: { loud: javascript('export default () => { for (let n = 1; n <= 400; n += 1) console.log(`line ${n}`); }') },
};

let test: McpTest;
beforeAll(async () => {
  test = await McpTest.open();
});
afterAll(() => test.close());

describe.each(TRANSPORTS)('over %s', (kind) => {
  let assistant: Assistant;
  beforeAll(async () => {
    assistant = await test.connect(kind);
  });
  const call: Assistant['call'] = (...all) => assistant.call(...all);
  const start = async (document: unknown): Promise<string> => {
    const { value } = await call('run_workflow', { document, wait: '0s' });
    return String(value['runId']);
  };

  it('says what it is, and lists the tools of the golden file', async () => {
    expect(assistant.client.getServerVersion()).toMatchObject({ name: 'lattice', version: '0.1.0' });
    expect(assistant.client.getInstructions()).toContain('workflow_guide');
    expect((await assistant.client.listTools()).tools).toEqual(GOLDEN);
  });

  it('runs the example to its end', async () => {
    const { isError, value, text } = await call('run_workflow', { yaml: HELLO, inputs: { who: 'you' } });
    expect(isError).toBe(false);
    expect(value).toMatchObject({
      status: 'completed',
      ended: true,
      outputs: { text: 'HELLO YOU', length: 9 },
      next: null,
    });
    expect(value).toMatchObject({ tasks: { completed: 4 }, cut: [], failed: [] });
    expect(JSON.parse(text)).toEqual(value);
    const run = await call('get_run', { runId: value['runId'] });
    expect(run.value['taskList']).toHaveLength(4);
    expect(run.value['taskList'][0]).toMatchObject({
      key: 'greet',
      status: 'completed',
      output: { text: 'hello you' },
    });
    const pages = await call('get_run', { runId: value['runId'], limit: 3 });
    const rest = await call('get_run', { runId: value['runId'], limit: 3, after: pages.value['nextTask'] });
    expect([...pages.value['taskList'], ...rest.value['taskList']]).toEqual(run.value['taskList']);
    expect(rest.value['nextTask']).toBeNull();
    const report = await call('get_run_report', { runId: value['runId'] });
    expect(report.text).toMatch(/^# /);
    expect(report.value).toMatchObject({ markdown: report.text, next: null, characters: report.text.length });
  });

  it('tells all faults of a document, and of the arguments, and loses nothing', async () => {
    const document = { name: 'x y', tasks: { a: { uses: 'nothing' }, b: { uses: 'code', needs: 'c' } } };
    const checked = await call('validate_workflow', { document });
    expect(checked.value['valid']).toBe(false);
    const pointers = checked.value['faults'].map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/name', '/tasks/a/uses', '/tasks/b/with']));
    const refused = await call('run_workflow', { document });
    expect(refused.isError).toBe(true);
    expect(refused.value['error']).toMatchObject({
      code: 'invalid_document',
      hint: expect.stringContaining('workflow_guide'),
    });
    const places = refused.value['error']['faults'].map(({ pointer }: { pointer: string }) => pointer);
    expect(places.sort()).toEqual(pointers.map((pointer: string) => `/document${pointer}`).sort());
    const arguments_ = await call('list_runs', { state: 'failed', limit: 0 });
    expect(arguments_.value['error']).toMatchObject({
      code: 'bad_request',
      faults: [{ pointer: '/limit' }, { pointer: '/state' }],
    });
    expect((await call('run_workflow', { document, yaml: HELLO })).value['error']['code']).toBe('bad_request');
    const yaml = await call('validate_workflow', { yaml: 'name: [' });
    expect(yaml.value['error']).toMatchObject({ code: 'unparsable', message: expect.stringMatching(/line 1/) });
  });

  it('saves, lists and reads workflows, and runs them once for a key', async () => {
    const name = `echo-${kind}`;
    expect((await call('save_workflow', { document: { ...ECHO, name } })).value).toMatchObject({ name, version: 1 });
    expect((await call('save_workflow', { document: { ...ECHO, name } })).value).toMatchObject({ name, version: 1 });
    expect((await call('list_workflows', { search: name.toUpperCase() })).value['workflows']).toMatchObject([{ name }]);
    const { value } = await call('get_workflow', { name });
    expect(value['inputs']).toEqual({
      type: 'object',
      properties: { said: { type: 'string', description: 'What to say' }, often: { type: 'integer', default: 1 } },
      required: ['said'],
      additionalProperties: false,
    });
    expect(value['document']['tasks']).toEqual(ECHO.tasks);
    const wrong = await call('run_workflow', { workflow: name, inputs: { often: 'x' } });
    expect(wrong.value['error']).toMatchObject({ code: 'invalid_inputs' });
    expect(wrong.value['error']['faults']).toHaveLength(2);
    const asked = { workflow: name, inputs: { said: 'hi' }, idempotencyKey: `once-${kind}`, tags: [kind] };
    const first = await call('run_workflow', asked);
    const again = await call('run_workflow', asked);
    expect(first.value).toMatchObject({ status: 'completed', outputs: { said: 'hi' }, version: 1 });
    expect(again.value['runId']).toBe(first.value['runId']);
    const other = await call('run_workflow', { ...asked, inputs: { said: 'ho' } });
    expect(other.value['error']['code']).toBe('idempotency_conflict');
    expect((await call('list_runs', { workflow: name, tag: kind })).value['runs']).toHaveLength(1);
    expect((await call('get_workflow', { name: 'nothing' })).value['error']).toMatchObject({
      code: 'workflow_not_found',
      hint: expect.stringContaining('list_workflows'),
    });
  });

  it('cancels, pauses, resumes and answers runs that go on', async () => {
    const asking = await start(ASK);
    const waited = await call('wait_for_run', { runId: asking, wait: '200ms' });
    expect(waited.value).toMatchObject({ ended: false });
    await call('answer_approval', { runId: asking, task: 'ask', approved: true, comment: 'fine' });
    expect((await call('wait_for_run', { runId: asking })).value).toMatchObject({ status: 'completed' });
    const signalled = await start(PAUSES);
    await call('signal_run', { runId: signalled, name: 'go', payload: { n: 1 } });
    expect((await call('wait_for_run', { runId: signalled })).value).toMatchObject({ status: 'completed' });
    const queued = await start(NOBODY);
    await eventually('it is told why the task waits', async () => {
      const workers = await call('list_workers');
      expect(workers.value['workers'][0]).toMatchObject({ workerId: 'worker-1', status: 'online' });
      expect(workers.value['waiting']).toContainEqual(
        expect.objectContaining({ runId: queued, task: 'a', reason: expect.stringContaining('nobody-has-it') }),
      );
      return true;
    });
    expect((await call('pause_run', { runId: queued })).isError).toBe(false);
    const cancelled = await call('cancel_run', { runId: queued });
    expect(cancelled.value).toMatchObject({ runId: queued });
    expect((await call('wait_for_run', { runId: queued })).value).toMatchObject({ status: 'cancelled', ended: true });
    expect((await call('cancel_run', { runId: queued })).value['error']).toMatchObject({ code: 'illegal_transition' });
    expect((await call('cancel_run', { runId: 'none' })).value['error']).toMatchObject({ code: 'run_not_found' });
  });

  it('tells how far a run is while it waits for it', async () => {
    const told: string[] = [];
    const tasks = { before: { uses: 'transform', with: 1 }, ask: { ...ASK.tasks.ask, needs: 'before' } };
    const asked = { document: { name: 'progress', tasks }, wait: '3s' };
    const { value } = await call('run_workflow', asked, ({ progress, total }) => {
      told.push(`${progress} of ${total ?? 0}`);
    });
    expect(value).toMatchObject({
      status: 'waiting',
      ended: false,
      next: expect.stringContaining('ask waits for an approval: Go on?'),
    });
    expect(told).toContain('1 of 2');
    await call('cancel_run', { runId: value['runId'] });
  });

  it('tells why a run failed, and does again what failed', async () => {
    const { value } = await call('run_workflow', { document: FAILS });
    expect(value).toMatchObject({ status: 'failed', failed: [{ key: 'bad', error: { code: 'task_failed' } }] });
    expect(value['next']).toContain('retry_run');
    expect(
      (await call('read_logs', { runId: value['runId'], search: 'NO LUCK' })).value['logs'].length,
    ).toBeGreaterThan(0);
    expect((await call('retry_run', { runId: value['runId'] })).isError).toBe(false);
    const again = await call('wait_for_run', { runId: value['runId'] });
    expect(again.value['failed'][0]).toMatchObject({ key: 'bad', attempts: 2 });
    const forked = await call('fork_run', { runId: value['runId'], from: ['bad'] });
    expect(forked.value).toMatchObject({ status: 'failed', workflow: 'fails' });
    expect((await call('rerun_task', { runId: value['runId'], task: 'bad' })).isError).toBe(false);
    expect((await call('rerun_task', { runId: value['runId'], task: 'c' })).value['error']['code']).toBe(
      'task_not_found',
    );
  });

  it('says what it cut, and reads the rest', async () => {
    const { value } = await call('run_workflow', { document: LONG });
    const run = await call('get_run', { runId: value['runId'] });
    const [cut] = run.value['cut'];
    expect(cut).toMatchObject({ at: '/taskList/0/output', characters: 9_002, begin: expect.stringMatching(/^"x+$/) });
    expect(run.value['taskList'][0]['output']).toBeNull();
    let text = '';
    for (let next: unknown = 0; next !== null;) {
      const part = await call(cut['read']['tool'], { ...cut['read']['arguments'], offset: next, limit: 4_000 });
      expect(part.value['characters']).toBe(9_002);
      text += String(part.value['text']);
      next = part.value['next'];
    }
    expect(JSON.parse(text)).toBe('x'.repeat(9_000));
  });

  it('shows the end of a log or its start, and how to read on', async () => {
    const { value } = await call('run_workflow', { document: LOUD });
    const { runId } = value;
    const lines = (answer: { value: Record<string, unknown> }): string[] =>
      (answer.value['logs'] as { text: string }[]).flatMap(({ text }) =>
        text.split('\n').filter((line) => line !== ''),
      );
    const all = Array.from({ length: 400 }, (_, index) => `line ${index + 1}`);
    const whole = await call('read_logs', { runId, task: 'loud', limit: 1_000, characters: 100_000 });
    expect(lines(whole)).toEqual(all);
    const entries = (whole.value['logs'] as unknown[]).length;
    const end = await call('read_logs', { runId, limit: 1 });
    expect(lines(end).at(-1)).toBe('line 400');
    expect(end.value).toMatchObject({ before: entries - 1, next: null });
    const read: string[] = [];
    for (let after: unknown = undefined; after !== null;) {
      const page = await call('read_logs', {
        runId,
        from: 'start',
        limit: 3,
        ...(after === undefined ? {} : { after }),
      });
      read.push(...lines(page));
      after = page.value['next'];
    }
    expect(read).toEqual(all);
    expect((await call('read_logs', { runId, task: 'quiet' })).value['error']['code']).toBe('task_not_found');
  });

  it('gives resources: the guide, workflows, runs and reports', async () => {
    const name = `resource-${kind}`;
    await call('save_workflow', { document: { ...ECHO, name } });
    const { value } = await call('run_workflow', { workflow: name, inputs: { said: 'x' } });
    const { client } = assistant;
    const listed = (await client.listResources()).resources.map(({ uri }) => uri);
    expect(listed).toEqual(expect.arrayContaining(['lattice://guide', `lattice://workflows/${name}`]));
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(3);
    const read = async (uri: string): Promise<string> => {
      const [content] = (await client.readResource({ uri })).contents;
      return content !== undefined && 'text' in content ? content.text : '';
    };
    expect(JSON.parse(await read(`lattice://workflows/${name}`))).toMatchObject({ name, version: 1 });
    expect(JSON.parse(await read(`lattice://runs/${value['runId']}`))).toMatchObject({ status: 'completed' });
    expect(await read(`lattice://runs/${value['runId']}/report`)).toMatch(/^# /);
    expect(await read('lattice://guide')).toContain('# Writing a workflow document');
    await expect(read('lattice://runs/none')).rejects.toMatchObject({ code: -32_002, data: { code: 'run_not_found' } });
    await expect(read('lattice://else')).rejects.toMatchObject({ code: -32_002 });
  });

  it('makes each saved workflow a tool, typed by its inputs, when it is asked to', async () => {
    const name = `shout.${kind}`;
    await call('save_workflow', { document: { ...ECHO, name } });
    const typed = await test.connect(kind, { workflows: true });
    const { tools } = await typed.client.listTools();
    const tool = tools.find(({ title }) => title === `Run ${name}`);
    expect(tool?.name).toMatch(new RegExp(`^workflow_shout_${kind}_[0-9a-f]{8}$`));
    expect(tool?.description).toContain('Says what it is told.');
    expect(tool?.inputSchema).toMatchObject({ required: ['said'], properties: { said: { type: 'string' } } });
    const done = await typed.call(tool?.name ?? '', { said: 'loud' });
    expect(done.value).toMatchObject({ status: 'completed', outputs: { said: 'loud' } });
    const wrong = await typed.call(tool?.name ?? '', { said: 1 });
    expect(wrong.value['error']).toMatchObject({ code: 'invalid_inputs', faults: [{ pointer: '/said' }] });
    await expect(call(tool?.name ?? '', {})).rejects.toThrow(/Unknown tool/);
  });

  it('only reads when it is told so', async () => {
    const reader = await test.connect(kind, { readOnly: true });
    const names = (await reader.client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(GOLDEN.filter((tool) => tool.annotations.readOnlyHint).map(({ name }) => name));
    const refused = await reader.call('run_workflow', { document: ECHO });
    expect(refused.value['error']).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('reading only'),
    });
  });

  it('refuses a key that may only look', async () => {
    const viewer = await test.connect(kind, { key: await test.key('viewer') });
    expect((await viewer.call('list_runs', { limit: 1 })).isError).toBe(false);
    const refused = await viewer.call('run_workflow', { yaml: HELLO });
    expect(refused.isError).toBe(true);
    expect(refused.value['error']).toMatchObject({ code: 'forbidden', hint: expect.stringContaining('operator') });
    const shown = (await viewer.client.listTools()).tools.some(({ name }) => name === 'run_workflow');
    // Whoever comes through the command line is refused by the API alone.
    expect(shown).toBe(kind === 'stdio');
  });
});

it('the guide of the tool is the same that is tested', async () => {
  const assistant = await test.connect('http');
  const { value } = await assistant.call('workflow_guide', { schema: true });
  expect(parseDocumentText(String(/```yaml\n(.*?)```/s.exec(String(value['markdown']))?.[1]), 'yaml')).toMatchObject({
    name: 'prices',
  });
  expect(value['schema']).toMatchObject({ title: 'Lattice workflow' });
});
