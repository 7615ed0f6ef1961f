import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { freePort } from '@lattice/embedded';
import { ensureAdminKey, KeyRing, requestControl } from '@lattice/engine';
import { ApiError, LatticeClient, createWorkflow, handler, worker, z, type Worker } from '@lattice/sdk';
import { WebSocket } from 'ws';
import { startApi, type RunningApi } from '../../apps/api/src/start-api';
import { eventually } from '../support/eventually';
import { TestPlatform } from '../support/platform';

/** Longer than a busy machine takes to start an API again. */
const LOCK_MS = 6_000;

let platform: TestPlatform;
let api: RunningApi;
let client: LatticeClient;
let url: string;
let key: string;
const workers: Worker[] = [];

beforeAll(async () => {
  const port = await freePort();
  platform = await TestPlatform.open({ PORT: String(port), LATTICE_LOCK: `${LOCK_MS}ms` });
  api = await startApi(platform.engine);
  await ensureAdminKey(platform.engine);
  await platform.scheduler();
  url = `http://127.0.0.1:${port}`;
  key = readFileSync(platform.engine.settings.adminKeyFile, 'utf8').trim();
  client = new LatticeClient({ url, apiKey: key });
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((one) => one.stop(0)));
});
afterAll(async () => {
  await api?.close();
  await platform?.close();
});

type Options = Partial<Parameters<typeof worker>[0]> & Pick<Parameters<typeof worker>[0], 'handlers'>;

async function start(options: Options): Promise<Worker> {
  const one = worker({ url, apiKey: key, ...options });
  workers.push(one);
  await one.connected();
  return one;
}

/** A promise that the test resolves. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

const double = handler({ name: 'double', inputs: { n: z.number() }, outputs: { n: z.number() } }, ({ n }, ctx) => {
  ctx.log(`doubling ${n}`);
  ctx.progress(100, 'done');
  return { n: n * 2 };
});
const sum = handler(
  { name: 'sum', inputs: { a: z.number(), b: z.number() }, outputs: z.number() },
  ({ a, b }) => a + b,
);

describe('a worker of the SDK', () => {
  it('is given no secrets: its task is told so, and not begun', async () => {
    let calls = 0;
    await start({ handlers: { guarded: () => (calls += 1) } });
    await client.secrets.set('TOKEN', 'correct-horse-battery');
    const env = { TOKEN: '${{ secrets.TOKEN }}' };
    const workflow = { name: 'guarded', tasks: { a: { uses: 'handler/guarded', env } } };
    const { runId } = await client.submit({ workflow });
    const { tasks } = await client.wait(runId);
    expect(tasks[0]).toMatchObject({ attempts: 1, error: { code: 'secret_not_given', retryable: false } });
    expect(calls).toBe(0);
  });

  it('does the tasks of a diamond, with logs and progress', async () => {
    await start({ handlers: [double, sum], workerId: 'diamond-worker' });
    const flow = createWorkflow('numbers', { inputs: { n: z.number() } });
    const top = flow.add(double, { n: flow.inputs.n });
    const left = flow.add(double, { n: top.output.n });
    const right = flow.add(double, { n: top.output.n }, { needs: [top] });
    const joined = flow.add(sum, { a: left.output.n, b: right.output.n });
    const run = await flow.returns({ total: joined.output }).run(client, { n: 3 });
    expect(await run.result({ timeout: '30s' })).toEqual({ total: 24 });
    const events = [];
    for await (const event of run.events()) events.push(event);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.filter(({ type }) => type === 'task.log').map(({ data }) => data['text'])).toEqual(
      expect.arrayContaining(['doubling 3\n', 'doubling 6\n']),
    );
    expect(events.filter(({ type }) => type === 'task.progress')).toHaveLength(3);
    expect((await run.status()).tasks.every((task) => task.workerId === 'diamond-worker' && task.attempts === 1)).toBe(
      true,
    );
    expect((await client.workers()).find(({ workerId }) => workerId === 'diamond-worker')).toMatchObject({
      status: 'online',
      handlers: ['double', 'sum'],
      outside: true,
    });
  });

  it('says of a handler that is out of time whether it goes on', async () => {
    const { open, opened } = gate();
    const ends = handler({ name: 'ends', timeout: '100ms' }, async (_, { signal }) => once(signal, 'abort'));
    const goesOn = handler({ name: 'goes-on', timeout: '100ms' }, async () => opened);
    await start({ handlers: [ends, goesOn] });
    const flow = createWorkflow('out-of-time', { onFailure: 'continue' });
    for (const one of [ends, goesOn]) flow.add(one);
    const run = await flow.run(client);
    await expect(run.result({ timeout: '30s' })).rejects.toMatchObject({ name: 'RunError' });
    open();
    const said = (await run.status()).tasks.map(({ error }) => error?.message);
    const limit = 'stopped at its time limit of 100 ms';
    expect(said).toEqual([limit, `${limit}; the handler ignores its signal and goes on`]);
  });

  it('checks inputs and outputs by their schemas, and says why an attempt failed', async () => {
    const strict = handler({ name: 'strict', inputs: { n: z.number().min(10) }, outputs: z.string() }, () => 'x');
    const wrong = handler({ name: 'wrong', outputs: { n: z.number() } }, () => JSON.parse('{"n":"text"}'));
    const nan = handler({ name: 'nan' }, () => ({ deep: [Number.NaN] }));
    const final = handler({ name: 'final', retry: { maxAttempts: 5, initialDelay: '10ms' } }, () => {
      throw Object.assign(new Error('no use'), { retryable: false });
    });
    const flaky = handler({ name: 'flaky', retry: { maxAttempts: 3, initialDelay: '10ms' } }, (_, { attempt }) => {
      if (attempt < 3) throw new Error(`attempt ${attempt}`);
      return attempt;
    });
    await start({ handlers: [strict, wrong, nan, final, flaky] });
    const flow = createWorkflow('faults', { onFailure: 'continue' });
    flow.add(strict, { n: 3 });
    for (const one of [wrong, nan, final, flaky]) flow.add(one);
    const run = await flow.run(client);
    await expect(run.result({ timeout: '30s' })).rejects.toMatchObject({ name: 'RunError' });
    const tasks = Object.fromEntries((await run.status()).tasks.map((task) => [task.key, task]));
    expect(tasks['strict']?.error).toMatchObject({ code: 'task_input_invalid', retryable: false });
    expect(tasks['strict']?.error?.message).toContain('$.n');
    expect(tasks['wrong']?.error).toMatchObject({ code: 'task_output_invalid', retryable: false });
    expect(tasks['nan']?.error?.code).toBe('output_not_json');
    expect(tasks['final']).toMatchObject({ attempts: 1, error: { code: 'task_failed', message: 'no use' } });
    expect(tasks['flaky']).toMatchObject({ attempts: 3, status: 'completed', output: 3 });
  });

  it('hears of a cancel and of a time limit', async () => {
    const reasons: string[] = [];
    const wait = handler({ name: 'wait' }, async (_, { signal }) => {
      await new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      ).catch((error: Error) => reasons.push(error.message));
      throw new Error('stopped');
    });
    await start({ handlers: [wait] });
    const slow = createWorkflow('slow');
    slow.add({ ...wait, timeout: '200ms' });
    const late = await slow.run(client);
    await expect(late.result({ timeout: '30s' })).rejects.toMatchObject({ code: 'timeout' });
    const flow = createWorkflow('cancelled');
    flow.add(wait);
    const run = await flow.run(client);
    for await (const event of run.events()) if (event.type === 'task.started') await run.cancel();
    expect((await run.status()).status).toBe('cancelled');
    await eventually('both heard', () => (reasons.length === 2 ? true : undefined));
    expect(reasons[0]).toContain('time limit');
    expect(reasons[1]).toBe('stopping');
  });

  it('goes on with its attempts over a restart of the API: each is done once, and followed without a gap', async () => {
    const [begun, goOn] = [gate(), gate()];
    let calls = 0;
    const hold = handler({ name: 'hold', outputs: z.string() }, async (_, { attempt, log, signal }) => {
      calls += 1;
      log('before');
      begun.open();
      await goOn.opened;
      log('after');
      signal.throwIfAborted();
      return `attempt ${attempt}`;
    });
    const quick = handler({ name: 'quick', outputs: z.string() }, async (_, { attempt }) => {
      await begun.opened;
      return `attempt ${attempt}`;
    });
    await start({ handlers: [hold, quick] });
    const flow = createWorkflow('restart');
    const held = flow.add(hold);
    const other = flow.add(quick, undefined, { needs: [held] });
    const run = await flow.returns({ held: held.output, quick: other.output }).run(client);
    const types: string[] = [];
    const logs: unknown[] = [];
    const ids: bigint[] = [];
    const following = (async () => {
      for await (const event of run.events()) {
        if (event.type === 'task.log') logs.push(event.data['text']);
        else types.push(event.type);
        ids.push(BigInt(event.id));
      }
    })();
    await begun.opened;
    await api.close();
    // While nobody listens: the result waits in the worker.
    goOn.open();
    api = await startApi(platform.engine);
    expect(await run.result({ timeout: '30s' })).toEqual({ held: 'attempt 1', quick: 'attempt 1' });
    await following;
    expect(calls).toBe(1);
    expect(types.filter((type) => type !== 'task.queued')).toEqual([
      'run.created',
      'run.started',
      'task.started',
      'task.completed',
      'task.started',
      'task.completed',
      'run.completed',
    ]);
    expect(logs.join('')).toBe('before\nafter\n');
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('goes on with an attempt whose run was paused while it was away', async () => {
    const [begun, goOn] = [gate(), gate()];
    let aborted = false;
    const held = handler({ name: 'paused', outputs: z.number() }, async (_, { attempt, signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      begun.open();
      await goOn.opened;
      return attempt;
    });
    await start({ handlers: [held] });
    const flow = createWorkflow('paused');
    const first = flow.add(held);
    flow.add(double, { n: first.output });
    const run = await flow.returns({ attempt: first.output }).run(client);
    await begun.opened;
    await api.close();
    await requestControl(platform.engine, run.id, 'pause');
    const tasks = async () => (await platform.read(run.id)).tasks;
    await eventually('it is paused', async () => (await platform.read(run.id)).status === 'paused');
    api = await startApi(platform.engine);
    goOn.open();
    await eventually('the attempt has ended', async () => (await tasks())[0]?.status === 'completed');
    expect(aborted).toBe(false);
    expect((await tasks())[1]?.attempts).toBe(0);
    await start({ handlers: [double] });
    await client.resume(run.id);
    expect(await run.result({ timeout: '30s' })).toEqual({ attempt: 1 });
  });

  it('loses its attempts when it is away for its lease: they are tried again, and its own results are dropped', async () => {
    const [begun, goOn] = [gate(), gate()];
    const aborted: string[] = [];
    const held = handler({ name: 'lease', outputs: z.number() }, async (_, { attempt, signal }) => {
      if (attempt > 1) return attempt;
      signal.addEventListener('abort', () => aborted.push(String(signal.reason)));
      begun.open();
      await goOn.opened;
      return attempt;
    });
    await start({ handlers: [held] });
    const flow = createWorkflow('lease');
    const node = flow.add(held);
    const run = await flow.returns({ attempt: node.output }).run(client);
    await begun.opened;
    await api.close();
    await eventually('the lease is over', () => (aborted.length > 0 ? true : undefined), 3 * LOCK_MS);
    goOn.open();
    api = await startApi(platform.engine);
    expect(await run.result({ timeout: '30s' })).toEqual({ attempt: 2 });
    expect(aborted[0]).toContain('lease');
  });

  it('gives back what it can not finish when it stops, and another worker does it', async () => {
    const begun = gate();
    const slow = handler({ name: 'slow', outputs: z.number() }, async (_, { attempt, signal }) => {
      if (attempt > 1) return attempt;
      begun.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('aborted');
    });
    const first = await start({ handlers: [slow] });
    const flow = createWorkflow('handover');
    const node = flow.add(slow);
    const run = await flow.returns({ attempt: node.output }).run(client);
    await begun.opened;
    await start({ handlers: [slow] });
    await first.stop(50);
    expect(await run.result({ timeout: '30s' })).toEqual({ attempt: 2 });
    await eventually('it is shown as stopped', async () => {
      const stopped = (await client.workers()).find(({ workerId }) => workerId === first.workerId);
      return stopped?.status === 'offline' && stopped.reason === 'stopped';
    });
  });

  it('does no batches, and the task that waits for one says so', async () => {
    await start({ handlers: { embed: () => 1 } });
    const flow = createWorkflow('batched');
    flow.add(handler({ name: 'embed', batch: { size: 2 } }));
    const run = await flow.run(client);
    const reason = await eventually('it waits', async () => (await run.status()).tasks[0]?.reason ?? undefined);
    expect(reason).toContain('only workers of the SDK have the handler "embed"');
    await run.cancel();
  });

  it('goes by a drain for as long as its process lives, over its connections', async () => {
    const resources = { cpu: 1, memory: 1, gpu: 0 };
    const hello = {
      op: 'hello',
      workerId: 'raw',
      host: 'h',
      node: '20',
      labels: {},
      resources,
      slots: 1,
      attempts: [],
    };
    const connect = async (pid: number): Promise<WebSocket> => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/worker`, {
        headers: { authorization: `Bearer ${key}` },
      });
      await once(socket, 'open');
      socket.send(JSON.stringify({ ...hello, pid, handlers: ['raw'] }));
      await once(socket, 'message');
      return socket;
    };
    const becomes = (pid: number, status: string) =>
      eventually(`process ${pid} is ${status}`, async () => {
        const found = (await client.workers()).find(({ workerId }) => workerId === 'raw');
        return found?.pid === pid && found.status === status ? true : undefined;
      });
    const first = await connect(1);
    await client.orderWorker('raw', 'drain');
    await becomes(1, 'drained');
    first.terminate();
    const again = await connect(1);
    await becomes(1, 'drained');
    again.terminate();
    const next = await connect(2);
    await becomes(2, 'online');
    next.terminate();
    await once(next, 'close');
  });

  it('is refused without the scope worker, and with handlers that can be none', async () => {
    const viewer = await new KeyRing(platform.engine).create({ name: 'v', scope: 'viewer' });
    const able = await new KeyRing(platform.engine).create({ name: 'w', scope: 'worker' });
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const refused = worker({ url, apiKey: viewer.key, handlers: [double], onNotice });
    await expect(refused.connected()).rejects.toBeInstanceOf(ApiError);
    await expect(refused.ended).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('scope worker'),
    });
    expect(notices.at(-1)).toContain('refuses the worker');
    await expect(worker({ url, apiKey: 'lat_wrong', handlers: [double] }).ended).rejects.toMatchObject({ status: 401 });
    await start({ handlers: [double], apiKey: able.key });
    expect(() => worker({ url, handlers: [double, double] })).toThrow(/two handlers "double"/);
    expect(() => worker({ url, handlers: [handler({ name: 'typed' })] })).toThrow(/has no function/);
    expect(() => worker({ url, handlers: {} })).toThrow(/at least one/);
  });
});
