import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { artifactSchema } from '@lattice/contracts';
import { freePort } from '@lattice/embedded';
import { ensureAdminKey } from '@lattice/engine';
import { LatticeClient, worker, type HandlerContext, type Worker } from '@lattice/sdk';
import { WebSocket } from 'ws';
import { startApi, type RunningApi } from '../../apps/api/src/start-api';
import { eventually } from '../support/eventually';
import { TestPlatform } from '../support/platform';

const MAX_BYTES = 2_000_000;

let platform: TestPlatform;
let api: RunningApi;
let client: LatticeClient;
let url: string;
let key: string;
const workers: Worker[] = [];

beforeAll(async () => {
  const port = await freePort();
  const limits = { LATTICE_MAX_ARTIFACTS: `${MAX_BYTES}`, LATTICE_MAX_ARTIFACT_COUNT: '3' };
  platform = await TestPlatform.open({ PORT: String(port), LATTICE_LOCK: '6s', ...limits });
  api = await startApi(platform.engine);
  await ensureAdminKey(platform.engine);
  await platform.scheduler();
  url = `http://127.0.0.1:${port}`;
  const admin = readFileSync(platform.engine.settings.adminKeyFile, 'utf8').trim();
  client = new LatticeClient({ url, apiKey: admin });
  ({ key } = await client.keys.create({ name: 'outside', scope: 'worker' }));
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((one) => one.stop(0)));
});
afterAll(async () => {
  await api?.close();
  await platform?.close();
});

type Plain = (input: unknown, context: HandlerContext) => unknown;

async function start(handlers: Record<string, Plain>): Promise<void> {
  const one = worker({ url, apiKey: key, handlers });
  workers.push(one);
  await one.connected();
}

/** A run of one task of a handler; gives it when it has ended. */
async function run(name: string, more: object = {}, inputs: object = {}) {
  const declared = Object.fromEntries(Object.keys(inputs).map((input) => [input, { type: 'any' }]));
  const workflow = { name, inputs: declared, tasks: { a: { uses: `handler/${name}`, ...more } } };
  const { runId } = await client.submit({ workflow, inputs: { ...inputs } });
  return client.wait(runId, { timeout: '30s' });
}

async function textOf(id: string): Promise<string> {
  return new Response(await client.readArtifact(id)).text();
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

describe('files of handlers of the SDK', () => {
  it('are saved from text, bytes and streams, shown with the task, and read by the next one', async () => {
    const large = randomBytes(1_500_000);
    await start({
      make: async (_, { artifacts: { save } }) => {
        async function* parts(): AsyncGenerator<string | Uint8Array> {
          yield 'one ';
          await delay(1);
          yield Buffer.from('two');
        }
        const saved = await save('plots/a.txt', 'text é');
        // This one is not waited for by the handler.
        void save('large.bin', large);
        await save('stream', parts());
        return saved;
      },
      use: async (input, { artifacts }) => {
        const { large: reference, text } = input as { large: { id: string }; text: string };
        const bytes = await collect(await artifacts.read(reference));
        return { same: bytes.equals(large), text: (await collect(await artifacts.read(text))).toString() };
      },
    });
    const { runId } = await client.submit({
      workflow: {
        name: 'files',
        tasks: {
          make: { uses: 'handler/make' },
          use: {
            uses: 'handler/use',
            with: {
              input: { large: '${{ tasks.make.artifacts["large.bin"] }}', text: '${{ tasks.make.output.id }}' },
            },
          },
        },
      },
    });
    const ended = await client.wait(runId, { timeout: '30s' });
    expect(ended.error).toBeNull();
    const [make, use] = ended.tasks;
    expect(make?.output).toMatchObject({ name: 'plots/a.txt', size: 7, mediaType: 'text/plain' });
    expect(make?.artifacts?.map(({ name, size }) => `${name} ${size}`)).toEqual([
      'large.bin 1500000',
      'plots/a.txt 7',
      'stream 7',
    ]);
    expect(use?.output).toEqual({ same: true, text: 'text é' });
    const listed = await client.artifacts(runId);
    const stream = listed.find(({ name }) => name === 'stream');
    expect(await textOf(stream?.id ?? '')).toBe('one two');
  });

  it('of an attempt that fails never show, and those of the next one do', async () => {
    await start({
      again: async (_, { attempt, artifacts }) => {
        await artifacts.save('out.txt', `attempt ${attempt}`);
        if (attempt === 1) throw new Error('not yet');
      },
    });
    const ended = await run('again', { retry: { maxAttempts: 2, initialDelay: '10ms' } });
    expect(ended.status).toBe('completed');
    const listed = await client.artifacts(ended.runId);
    expect(listed).toHaveLength(1);
    expect(await textOf(listed[0]?.id ?? '')).toBe('attempt 2');
  });

  it.each<[string, string, Plain]>([
    ['bytes', 'artifacts_too_large', (_, { artifacts }) => artifacts.save('a', Buffer.alloc(MAX_BYTES + 1))],
    [
      'together',
      'artifacts_too_large',
      (_, { artifacts }) =>
        Promise.all(['a', 'b'].map(async (name) => artifacts.save(name, Buffer.alloc(MAX_BYTES / 2 + 1)))),
    ],
    [
      'count',
      'artifacts_too_large',
      async (_, { artifacts }) => {
        for (const name of ['a', 'b', 'c', 'd']) await artifacts.save(name, name);
      },
    ],
    ['name', 'artifact_refused', (_, { artifacts }) => artifacts.save('../etc/passwd', 'x')],
    [
      'twice',
      'artifact_refused',
      async (_, { artifacts }) => {
        await artifacts.save('a', '1');
        await artifacts.save('a/b', '2');
      },
    ],
    ['type', 'artifact_refused', (_, { artifacts }) => artifacts.save('a', JSON.parse('[1]'))],
    // Whatever the handler makes of it.
    ['caught', 'artifact_refused', (_, { artifacts }) => artifacts.save('', 'x').catch(() => 'fine')],
    ['unknown', 'artifact_not_found', (_, { artifacts }) => artifacts.read('0199a1b2-0000-7000-8000-000000000001')],
  ])('fail the attempt with the code that a worker of the platform gives: %s', async (name, code, handler) => {
    await start({ [name]: handler });
    const ended = await run(name);
    expect(ended.tasks[0]?.error).toMatchObject({ code });
    expect(await client.artifacts(ended.runId)).toEqual([]);
  });

  it('are read of the own run, and of those that the inputs name, of no others', async () => {
    await start({
      own: (_, { artifacts }) => artifacts.save('a', 'own'),
      foreign: async (input, { artifacts }) => (await collect(await artifacts.read(String(input)))).toString(),
    });
    const { tasks } = await run('own');
    const id = tasks[0]?.artifacts?.[0]?.id ?? '';
    const granted = await run('foreign', { with: { input: '${{ inputs.id }}' } }, { id });
    expect(granted.tasks[0]?.output).toBe('own');
    const refused = await run('foreign', { with: { input: id } });
    expect(refused.tasks[0]?.error).toMatchObject({ code: 'artifact_not_granted' });
  });

  it('keep an attempt alive while they are sent', async () => {
    await start({
      stream: (_, { artifacts }) => {
        async function* parts(): AsyncGenerator<string> {
          for (let n = 0; n < 20; n += 1) {
            yield `${n} `;
            await delay(100);
          }
        }
        return artifacts.save('parts', parts());
      },
    });
    const ended = await run('stream', { heartbeat: '1s' });
    expect(ended.tasks[0]).toMatchObject({ status: 'completed', attempts: 1, output: { size: 50 } });
  });

  it('are saved over a restart of the API', async () => {
    let begun = false;
    let go: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (go = resolve));
    await start({
      slow: async (_, { artifacts }) => {
        begun = true;
        await opened;
        return artifacts.save('late.txt', 'saved after all');
      },
    });
    const { runId } = await client.submit({ workflow: { name: 'slow', tasks: { a: { uses: 'handler/slow' } } } });
    await eventually('the handler is at work', () => begun || undefined);
    await api.close();
    go();
    // The first try meets nobody.
    await delay(300);
    api = await startApi(platform.engine);
    const ended = await client.wait(runId, { timeout: '30s' });
    expect(ended.tasks[0]).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await textOf(ended.tasks[0]?.artifacts?.[0]?.id ?? '')).toBe('saved after all');
  });

  it('are taken of who holds the attempt, a name once, and of nobody when it is over', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/worker`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const frames: Record<string, unknown>[] = [];
    socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())));
    await once(socket, 'open');
    const say = (frame: object): void => socket.send(JSON.stringify(frame));
    const heard = (op: string) => eventually(op, () => frames.find((frame) => frame['op'] === op));
    try {
      const machine = { workerId: 'by-hand', host: 'h', pid: 1, node: '20', labels: {}, slots: 1 };
      const resources = { cpu: 1, memory: 1_048_576, gpu: 0 };
      say({ op: 'hello', ...machine, handlers: ['by-hand'], resources, attempts: [] });
      const workflow = { name: 'by-hand', tasks: { a: { uses: 'handler/by-hand' } } };
      const { runId } = await client.submit({ workflow });
      const execute = await heard('execute');
      const id = String(execute['id']);
      const put = async (name: string, { apiKey = key, lease = String(execute['lease']) } = {}) => {
        const headers = { authorization: `Bearer ${apiKey}`, 'lattice-lease': lease };
        const address = `${url}/v1/worker/artifacts?name=${name}&attempt=${id}`;
        return (await fetch(address, { method: 'PUT', headers, body: name })).json();
      };
      const first = artifactSchema.parse(await put('one'));
      expect(first).toMatchObject({ name: 'one', size: 3 });
      // As a worker does that did not hear the answer.
      expect(await put('one')).toEqual(first);
      await put('two');
      const { key: viewer } = await client.keys.create({ name: 'viewer', scope: 'viewer' });
      expect(await put('three', { apiKey: viewer })).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await put('three', { lease: 'nonsense' })).toMatchObject({ status: 400, code: 'bad_request' });
      const made = JSON.stringify([...JSON.parse(String(execute['lease'])).slice(0, 2), 'made up']);
      expect(await put('three', { lease: made })).toMatchObject({ status: 409, code: 'heartbeat_lost' });
      // It knows of one that it saved, and not of the other.
      say({ op: 'result', id, outcome: { status: 'completed', output: 'null', artifacts: [first.id] } });
      await heard('settled');
      const ended = await client.wait(runId, { timeout: '30s' });
      expect(ended.tasks[0]?.error).toMatchObject({ code: 'artifacts_unavailable' });
      expect(await put('three')).toMatchObject({ status: 409, code: 'heartbeat_lost' });
      expect(await client.artifacts(runId)).toEqual([]);
    } finally {
      socket.terminate();
    }
  });
});
