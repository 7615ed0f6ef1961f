import { worker, type Worker } from '@lattice/sdk';
import { z } from 'zod';
import { eventually } from '../support/eventually';
import { CommandTest } from './support';

const listSchema = z.object({ runs: z.array(z.object({ runId: z.string(), schedule: z.string().nullish() })) });
const runSchema = z.object({
  status: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()).nullable(),
  tasks: z.array(
    z.object({ key: z.string(), status: z.string(), attempts: z.number(), reused: z.boolean().optional() }),
  ),
});
const submittedSchema = z.object({ runId: z.string() });

const PIPELINE = {
  name: 'pipeline',
  inputs: { factor: { type: 'number', default: 2 } },
  tasks: {
    fetch: { uses: 'handler/say', with: { text: 'fetched 3 rows\nall is fine\n', value: 3 } },
    train: {
      uses: 'handler/say',
      with: { text: 'Out Of Memory is near\n', value: '${{ tasks.fetch.output * inputs.factor }}' },
    },
    report: { uses: 'transform', with: '${{ tasks.train.output }}' },
  },
  outputs: { report: '${{ tasks.report.output }}' },
};
const ASK = {
  name: 'ask',
  tasks: {
    paid: { uses: 'wait', with: { signal: 'paid' } },
    publish: { uses: 'wait', needs: 'paid', with: { approval: { message: 'Publish it?' } } },
  },
  outputs: { paid: '${{ tasks.paid.output }}' },
};

let test: CommandTest;
let hands: Worker;
beforeAll(async () => {
  test = await CommandTest.open(1);
  const say = z.object({ text: z.string(), value: z.unknown() });
  hands = worker({
    url: test.rest.url,
    apiKey: test.rest.key,
    handlers: {
      say: (input, context) => {
        const { text, value } = say.parse(input);
        for (const line of text.trim().split('\n')) context.log(line);
        return value;
      },
    },
  });
  await hands.connected();
  test.write('pipeline.json', JSON.stringify(PIPELINE));
  test.write('ask.json', JSON.stringify(ASK));
});
afterAll(async () => {
  await hands.stop(0);
  await test.close();
});

const finished = async (): Promise<string> => {
  const { runId } = submittedSchema.parse(await test.json('run', 'pipeline.json', '--detach'));
  expect((await test.client.wait(runId, { timeout: '20s' })).status).toBe('completed');
  return runId;
};
const read = async (runId: string) => runSchema.parse(await test.json('runs', 'get', runId));

describe('lattice runs logs', () => {
  it('finds lines by a text, of all tasks or of one', async () => {
    const runId = await finished();
    expect(await test.lattice('runs', 'logs', runId, '--search', 'out of MEMORY')).toEqual({
      code: 0,
      out: 'train │ Out Of Memory is near\n',
      err: '',
    });
    expect((await test.lattice('runs', 'logs', runId, 'fetch', '-s', 'rows')).out).toBe('fetched 3 rows\n');
    expect((await test.lattice('runs', 'logs', runId, 'fetch', '-s', 'memory')).out).toBe('');
    expect((await test.lattice('runs', 'logs', runId, '--follow', '-s', 'FINE')).out).toBe('fetch │ all is fine\n');
    expect((await test.lattice('runs', 'logs', runId)).out.split('\n')).toHaveLength(4);
    expect(await test.json('runs', 'logs', runId, '--search', 'memory')).toEqual([
      expect.objectContaining({ taskKey: 'train', attempt: 1, stream: 'stdout', text: 'Out Of Memory is near\n' }),
    ]);
  });

  it('ends with 2 for a run or task that is not there, and says where to look', async () => {
    const runId = await finished();
    expect(await test.lattice('runs', 'logs', runId, 'nope')).toMatchObject({
      code: 2,
      err: `error Run ${runId} has no task "nope".\nhint: see \`lattice runs get RUN\` for the keys of its tasks.\n`,
    });
    const nobody = '01a1fe2c-06d1-72db-a36c-0275f6b212ef';
    const none = await test.lattice('runs', 'logs', nobody, '--search', 'x');
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('lattice runs list') as string });
  });
});

describe('lattice runs rerun and fork', () => {
  it('runs a task of an ended run again with what is behind it, or alone', async () => {
    const runId = await finished();
    const { code, out } = await test.lattice('runs', 'rerun', runId, 'train');
    expect([code, out]).toEqual([0, `run ${runId} goes on with train; watch it: lattice runs watch ${runId}\n`]);
    await eventually('it has run again', async () => {
      const { status, tasks } = await read(runId);
      const attempts = tasks.map((task) => task.attempts);
      return status === 'completed' && attempts.join() === '1,2,2' ? true : undefined;
    });
    expect(await test.json('runs', 'rerun', runId, 'train', '--alone')).toEqual({ runId });
    await eventually('the task alone has run again', async () => {
      const { status, tasks } = await read(runId);
      return status === 'completed' && tasks.map((task) => task.attempts).join() === '1,3,2' ? true : undefined;
    });
    expect((await test.lattice('runs', 'rerun', runId, 'nope')).code).toBe(2);
  });

  it('forks a run from a task, with another input', async () => {
    const runId = await finished();
    const forked = submittedSchema.parse(await test.json('runs', 'fork', runId, '--from', 'train', '-i', 'factor=5'));
    expect(forked.runId).not.toBe(runId);
    await test.client.wait(forked.runId, { timeout: '20s' });
    expect(await read(forked.runId)).toMatchObject({
      status: 'completed',
      inputs: { factor: 5 },
      outputs: { report: 15 },
      tasks: [{ key: 'fetch', reused: true }, { key: 'train' }, { key: 'report' }],
    });
    expect((await test.lattice('runs', 'get', forked.runId)).code).toBe(0);
    const nope = await test.lattice('runs', 'fork', runId, '--from', 'nope');
    expect(nope).toMatchObject({ code: 2, out: '', err: expect.stringContaining('has no task "nope"') as string });
    expect(await test.lattice('runs', 'fork', runId)).toMatchObject({ code: 2 });
  });
});

describe('lattice runs report', () => {
  it('is Markdown, or JSON', async () => {
    const runId = await finished();
    const { out } = await test.lattice('runs', 'report', runId);
    expect(out).toMatch(/^# pipeline: completed\n/);
    expect(out).toContain('| train | completed | 1 |');
    expect(await test.json('runs', 'report', runId)).toMatchObject({
      run: { status: 'completed', workflow: 'pipeline' },
    });
    expect((await test.lattice('runs', 'report', 'x')).code).toBe(2);
  });
});

describe('lattice runs signal, approve and reject', () => {
  const asked = async (): Promise<string> => {
    const { runId } = submittedSchema.parse(await test.json('run', 'ask.json', '--detach'));
    const sent = await eventually('the signal is taken', async () => {
      const ended = await test.lattice('runs', 'signal', runId, 'paid', '--payload', '{"amount":12}');
      return ended.code === 0 ? ended : undefined;
    });
    expect(sent.out).toBe(`sent paid to run ${runId}\n`);
    await eventually('it asks', async () => {
      const { tasks } = await test.client.getRun(runId);
      return tasks.find(({ key }) => key === 'publish')?.status === 'running' ? true : undefined;
    });
    return runId;
  };

  it('lets a run go on', async () => {
    const runId = await asked();
    expect((await test.lattice('runs', 'approve', runId, 'publish', '--comment', 'good')).code).toBe(0);
    await test.client.wait(runId, { timeout: '20s' });
    expect(await read(runId)).toMatchObject({ status: 'completed', outputs: { paid: { amount: 12 } } });
    const late = await test.lattice('runs', 'approve', runId, 'publish');
    expect(late).toMatchObject({ code: 2, err: expect.stringContaining('completed') as string });
  });

  it('ends it with a no', async () => {
    const runId = await asked();
    expect(await test.json('runs', 'reject', runId, 'publish')).toEqual({ runId, signal: 'publish' });
    expect((await test.client.wait(runId, { timeout: '20s' })).status).toBe('failed');
    expect((await test.lattice('runs', 'get', runId)).out).toContain('approval_rejected');
  });

  it('takes JSON only', async () => {
    const { code, err } = await test.lattice('runs', 'signal', 'x', 'paid', '--payload', '{oops');
    expect([code, err]).toEqual([2, expect.stringContaining('--payload is not JSON')]);
  });
});

describe('lattice runs list', () => {
  it('finds the runs of a schedule, also among those of a text', async () => {
    await test.lattice('workflows', 'save', 'pipeline.json');
    for (const name of ['nightly', 'other']) {
      expect((await test.lattice('schedules', 'create', name, 'pipeline', '--cron', '0 3 1 1 *')).code).toBe(0);
      expect((await test.lattice('schedules', 'trigger', name)).code).toBe(0);
    }
    await test.lattice('schedules', 'trigger', 'nightly');
    const of = async (...args: string[]) =>
      listSchema.parse(await test.json('runs', 'list', ...args)).runs.map(({ schedule }) => schedule);
    expect(await of('--schedule', 'nightly')).toEqual(['nightly', 'nightly']);
    expect(await of('--schedule', 'nightly', '--search', 'PIPELINE')).toEqual(['nightly', 'nightly']);
    expect(await of('--schedule', 'nightly', '--limit', '1')).toEqual(['nightly']);
    expect(await of('--schedule', 'never')).toEqual([]);
    expect((await test.lattice('runs', 'list', '--schedule', 'other')).out).toMatch(/^RUN +WORKFLOW .*\n.* pipeline /);
  });
});
