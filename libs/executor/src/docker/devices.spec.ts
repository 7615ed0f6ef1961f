import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { common, errorOf } from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { Execution, GpuGrant } from '../port';

/** Stands in for an engine without the means to hand on GPUs: it keeps what it is asked to create, and refuses to start it. */
let engine: Server;
let created: { HostConfig: Record<string, unknown>; Env: string[] }[];
let folder: string;
let executors: Executors;
beforeEach(async () => {
  created = [];
  folder = mkdtempSync(path.join(tmpdir(), 'lattice-devices-'));
  engine = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const answer = (status: number, value: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(value));
      };
      if (request.url?.includes('/images/') === true) return answer(200, { Id: 'sha256:1', Config: { User: '' } });
      if (request.url?.includes('/containers/create') === true) {
        created.push(JSON.parse(body) as (typeof created)[number]);
        return answer(500, {
          message: 'could not select device driver "nvidia" with capabilities: [[gpu compute utility]]',
        });
      }
      return answer(404, { message: 'nothing here' });
    });
  });
  const socketPath = path.join(folder, 'engine.sock');
  await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
  executors = createExecutors({ workerId: 'devices', workRoot: path.join(folder, 'work'), docker: { socketPath } });
});
afterEach(async () => {
  await executors.close();
  engine.closeAllConnections();
  await new Promise((resolve) => engine.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const container = (gpus?: GpuGrant, env: Record<string, string> = {}): Execution => ({
  ...common({ env }),
  ...(gpus === undefined ? {} : { gpus }),
  uses: 'container',
  container: { image: 'cuda', env },
});

test('E3: the engine is asked for the GPUs that were leased, by UUID, and for no others', async () => {
  const handle = executors.forTask('container').submit(container({ uuids: ['GPU-a', 'GPU-b'], token: 7, fds: [] }));
  expect(errorOf(await handle.result())).toMatchObject({ code: 'gpu_unavailable', retryable: false });
  expect(created[0]?.HostConfig['DeviceRequests']).toEqual([
    { Driver: 'nvidia', DeviceIDs: ['GPU-a', 'GPU-b'], Capabilities: [['gpu', 'compute', 'utility']] },
  ]);
  await executors
    .forTask('container')
    .submit(container({ uuids: [], token: 0, fds: [] }))
    .result();
  await executors.forTask('container').submit(container()).result();
  expect(created.slice(1).map(({ HostConfig }) => HostConfig['DeviceRequests'])).toEqual([undefined, undefined]);
});

test('a container asks the runtime for the GPUs it was given, also when its environment asks for all', async () => {
  const all = { NVIDIA_VISIBLE_DEVICES: 'all' };
  const given = { uuids: ['GPU-a', 'GPU-b'], token: 7, fds: [] };
  const none = { uuids: [], token: 0, fds: [] };
  for (const one of [container(given, all), container(none, all), container(undefined, all), container()])
    await executors.forTask('container').submit(one).result();
  const asked = created.map(({ Env }) => Env.filter((text) => text.startsWith('NVIDIA_VISIBLE_DEVICES=')));
  expect(asked).toEqual([
    ['NVIDIA_VISIBLE_DEVICES=GPU-a,GPU-b'],
    ...Array.from({ length: 3 }, () => ['NVIDIA_VISIBLE_DEVICES=void']),
  ]);
});
