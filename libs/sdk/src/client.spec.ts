import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CODES } from '@lattice/contracts';
import { ApiError, LatticeClient, Unreachable, hasCode } from './index';

type Answer = (request: IncomingMessage & { text: string }, response: ServerResponse) => void;

const RUN_ID = '0199a1b2-0000-7000-8000-000000000001';
let server: Server;
let answer: Answer;
let seen: (IncomingMessage & { text: string })[];
let url: string;

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const whole = Object.assign(request, { text });
      seen.push(whole);
      answer(whole, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function problem(status: number, code: string, more: object = {}): object {
  return { type: 'about:blank', title: code, status, code, detail: `it was ${code}`, ...more };
}

function run(status: string): object {
  return {
    runId: RUN_ID,
    workflow: 'hello',
    version: null,
    status,
    priority: 0,
    tags: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    inputs: {},
    outputs: null,
    error: null,
    reason: null,
    tasks: [],
  };
}

describe('calls', () => {
  it('submits with the key, an idempotency key of its own, and the body of the contract', async () => {
    answer = (_, response) => send(response, 202, { runId: RUN_ID });
    const client = new LatticeClient({ url: `${url}/`, apiKey: 'secret' });
    expect(await client.submit({ workflow: 'hello', inputs: { who: 'you' }, delay: '5s' })).toEqual({ runId: RUN_ID });
    expect(seen[0]?.url).toBe('/v1/runs');
    expect(seen[0]?.headers.authorization).toBe('Bearer secret');
    expect(seen[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.parse(seen[0]?.text ?? '')).toEqual({ workflow: 'hello', inputs: { who: 'you' }, delay: '5s' });
  });

  it('sends YAML as the document itself', async () => {
    answer = (_, response) => send(response, 202, { runId: RUN_ID });
    await new LatticeClient({ url }).submit({ yaml: 'name: hello\n', inputs: { n: 1 }, delay: '5s', tags: ['a', 'b'] });
    expect(seen[0]?.url).toBe('/v1/runs?inputs=%7B%22n%22%3A1%7D&delay=5s&tag=a&tag=b');
    expect(seen[0]?.headers['content-type']).toBe('application/yaml');
    expect(seen[0]?.text).toBe('name: hello\n');
  });

  it('turns problem+json into an ApiError with all faults', async () => {
    const faults = [{ code: 'cycle', pointer: '/tasks/a', message: 'a -> b -> a', hint: 'Break it.' }];
    answer = (_, response) => send(response, 422, problem(422, 'invalid_document', { faults }));
    const error = await new LatticeClient({ url })
      .submit({ workflow: { name: 'x' } })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'invalid_document', status: 422, message: 'it was invalid_document', faults });
    expect(error).toHaveProperty('hint', CODES.invalid_document.hint);
    expect(seen).toHaveLength(1);
  });

  it('repeats safe calls with the same idempotency key on 503 and broken connections', async () => {
    answer = (request, response) => {
      if (seen.length === 1) return send(response, 503, problem(503, 'unavailable'), { 'retry-after': '0' });
      if (seen.length === 2) return void request.socket.destroy();
      send(response, 200, { runId: RUN_ID });
    };
    await new LatticeClient({ url }).submit({ workflow: 'hello' });
    expect(new Set(seen.map((request) => request.headers['idempotency-key'])).size).toBe(1);
    expect(seen).toHaveLength(3);
  });

  it('waits as long as it is told to when it asks too often, and takes it as it is that a workflow refuses more runs', async () => {
    answer = (_, response) => {
      if (seen.length === 1) return send(response, 429, problem(429, 'too_many_requests'), { 'retry-after': '1' });
      if (seen.length === 2) return void response.writeHead(429, { 'retry-after': '0' }).end('<html>slow down');
      send(response, 200, run('running'));
    };
    const before = performance.now();
    expect(await new LatticeClient({ url }).getRun(RUN_ID)).toMatchObject({ status: 'running' });
    expect(performance.now() - before).toBeGreaterThan(950);
    expect(seen).toHaveLength(3);
    answer = (_, response) => send(response, 429, problem(429, 'concurrency_limit'), { 'retry-after': '1' });
    const refused = new LatticeClient({ url }).submit({ workflow: 'hello' });
    await expect(refused).rejects.toMatchObject({ code: 'concurrency_limit', retryAfterMs: 1_000 });
    expect(seen).toHaveLength(4);
  });

  it('does not repeat a cancel', async () => {
    answer = (_, response) => send(response, 503, problem(503, 'unavailable'));
    await expect(new LatticeClient({ url }).cancel(RUN_ID)).rejects.toMatchObject({ status: 503 });
    expect(seen).toHaveLength(1);
  });

  it('gives up at once when Retry-After is beyond the time limit', async () => {
    answer = (_, response) => send(response, 503, problem(503, 'unavailable'), { 'retry-after': '3600' });
    await expect(new LatticeClient({ url }).getRun(RUN_ID)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(seen).toHaveLength(1);
  });

  it('says that another server is listening', async () => {
    answer = (_, response) => response.end('<html>');
    await expect(new LatticeClient({ url }).getRun(RUN_ID)).rejects.toThrow(/something else listening/);
    answer = (_, response) => send(response, 200, { hello: 'world' });
    await expect(new LatticeClient({ url }).getRun(RUN_ID)).rejects.toThrow(/does not fit the contract \(runId/);
  });

  it('ends at its time limit with Unreachable, and with the reason of an aborted signal', async () => {
    answer = () => undefined;
    const client = new LatticeClient({ url });
    await expect(client.getRun(RUN_ID, { timeoutMs: 50 })).rejects.toBeInstanceOf(Unreachable);
    const stop = new AbortController();
    const pending = client.getRun(RUN_ID, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });

  it('asks whatever was thrown for a published code', async () => {
    answer = (_, response) => send(response, 404, problem(404, 'run_not_found'));
    const error: unknown = await new LatticeClient({ url }).getRun(RUN_ID).catch((reason: unknown) => reason);
    expect(hasCode(error, 'run_not_found')).toBe(true);
    expect(hasCode(error, 'unavailable', 'cancelled')).toBe(false);
    expect([new Error('no code'), 'run_not_found', null].some((other) => hasCode(other, 'run_not_found'))).toBe(false);
  });

  it('refuses an address that is none at once', () => {
    for (const none of ['localhost:3000', '127.0.0.1:3000', '/v1', '', 'ftp://127.0.0.1'])
      expect(() => new LatticeClient({ url: none })).toThrow(`"${none}" is no address of an API: give a URL such as`);
    expect(new LatticeClient({ url: 'https://lattice.example/base/' }).url).toBe('https://lattice.example/base');
  });

  it('throws Unreachable with the address when nobody listens', async () => {
    const dead = new LatticeClient({ url: 'http://127.0.0.1:1' });
    await expect(dead.cancel(RUN_ID)).rejects.toThrow(/no answer from http:\/\/127.0.0.1:1: .+/);
  });

  it('waits over several calls until the run has ended', async () => {
    answer = (_, response) => send(response, 200, run(seen.length < 3 ? 'running' : 'completed'));
    const ended = await new LatticeClient({ url }).wait(RUN_ID, { timeout: '30s' });
    expect(ended.status).toBe('completed');
    expect(seen[0]?.url).toMatch(/\/wait\?timeout=20000ms$/);
    answer = (_, response) => send(response, 200, run('running'));
    expect((await new LatticeClient({ url }).wait(RUN_ID, { timeout: '0s' })).status).toBe('running');
  });

  it('waits for a server that was there before and is away for longer than the repeats of a call', async () => {
    const client = new LatticeClient({ url });
    answer = (_, response) => send(response, 202, { runId: RUN_ID });
    await client.submit({ workflow: 'hello' });
    answer = (request, response) =>
      seen.length <= 7 ? request.socket.destroy() : send(response, 200, run('completed'));
    expect((await client.wait(RUN_ID)).status).toBe('completed');
    expect(seen).toHaveLength(8);
    answer = (request) => void request.socket.destroy();
    await expect(client.wait(RUN_ID, { awayMs: 50 })).rejects.toBeInstanceOf(Unreachable);
    await expect(client.wait(RUN_ID, { timeout: '50ms' })).rejects.toBeInstanceOf(Unreachable);
    seen = [];
    await expect(new LatticeClient({ url }).wait(RUN_ID)).rejects.toBeInstanceOf(Unreachable);
    expect(seen).toHaveLength(4);
  });

  it('follows the pages of a list', async () => {
    const entry = (id: string) => ({ id, attempt: 1, stream: 'stdout', text: id, at: '2026-01-01T00:00:00.000Z' });
    answer = (request, response) => {
      const last = request.url?.includes('after=b');
      send(response, 200, { logs: [entry(last ? '2' : '1')], next: last ? null : 'b' });
    };
    expect((await new LatticeClient({ url }).logs(RUN_ID, 'greet')).map(({ id }) => id)).toEqual(['1', '2']);
  });
});

describe('events', () => {
  function frame(id: number, type: string): string {
    const event = {
      id: String(id),
      type,
      runId: RUN_ID,
      taskKey: null,
      attempt: null,
      at: '2026-01-01T00:00:00.000Z',
      data: {},
    };
    return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  function open(response: ServerResponse, ...frames: string[]): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of frames) response.write(one);
  }

  async function collect(options: Parameters<LatticeClient['events']>[1] = {}): Promise<string[]> {
    const types: string[] = [];
    for await (const event of new LatticeClient({ url }).events(RUN_ID, options))
      types.push(`${event.id} ${event.type}`);
    return types;
  }

  it('reconnects with Last-Event-ID, loses nothing and repeats nothing', async () => {
    answer = (request, response) => {
      switch (seen.length) {
        case 1:
          // Cut in the middle of the second event.
          open(response, ':ping\n\n', frame(1, 'run.created'), frame(2, 'run.started').slice(0, 30));
          return void setTimeout(() => request.socket.destroy(), 20);
        case 2:
          return send(response, 502, 'bad gateway');
        case 3:
          // A server that replays more than was asked for, and ends cleanly too early.
          open(response, frame(1, 'run.created'), frame(2, 'run.started'));
          return void response.end();
        default:
          open(response, frame(3, 'task.started'), frame(10, 'run.completed'));
          response.end();
      }
    };
    expect(await collect()).toEqual(['1 run.created', '2 run.started', '3 task.started', '10 run.completed']);
    expect(seen.map((request) => request.headers['last-event-id'])).toEqual([undefined, '1', '1', '2']);
  });

  it('reads on after an old final event when the run was opened again', async () => {
    answer = (_, response) => {
      open(response, frame(1, 'run.failed'), frame(2, 'run.started'), frame(3, 'run.completed'));
      response.end();
    };
    expect(await collect()).toEqual(['1 run.failed', '2 run.started', '3 run.completed']);
  });

  it('ends when the server forgets to close after the final event', async () => {
    answer = (request, response) => {
      if (!request.url?.endsWith('/events')) return send(response, 200, run('completed'));
      open(response, frame(1, 'run.completed'));
    };
    expect(await collect()).toEqual(['1 run.completed']);
  });

  it('waits on after a final event while the run goes on: a rerun has opened it', async () => {
    answer = (request, response) => {
      if (!request.url?.endsWith('/events')) return send(response, 200, run('running'));
      if (request.headers['last-event-id'] === undefined) return open(response, frame(1, 'run.failed'));
      open(response, frame(2, 'run.resumed'), frame(3, 'run.completed'));
      response.end();
    };
    expect(await collect()).toEqual(['1 run.failed', '2 run.resumed', '3 run.completed']);
  });

  it('counts how long the server is away from each break on, also when no event came in between', async () => {
    const BREAKS = 5;
    answer = (request, response) => {
      if (seen.length > BREAKS) {
        open(response, frame(1, 'run.completed'));
        return void response.end();
      }
      open(response, ': ping\n\n');
      setTimeout(() => request.socket.destroy(), 60);
    };
    expect(await collect({ awayMs: 50 })).toEqual(['1 run.completed']);
    expect(seen).toHaveLength(BREAKS + 1);
  });

  it('ends when the server says that nothing comes after', async () => {
    answer = (_, response) => response.writeHead(204).end();
    expect(await collect({ after: '9' })).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  it('ends when the stream after the final event is empty', async () => {
    answer = (request, response) => {
      if (!request.url?.endsWith('/events')) return send(response, 200, run('completed'));
      open(response);
      response.end();
    };
    expect(await collect({ after: '9' })).toEqual([]);
    expect(seen[0]?.headers['last-event-id']).toBe('9');
  });

  it('takes a silent connection for dead', async () => {
    answer = (request, response) => {
      if (request.headers['last-event-id'] === undefined) return open(response, frame(1, 'run.created'));
      open(response, frame(2, 'run.completed'));
      response.end();
    };
    expect(await collect({ idleMs: 50 })).toEqual(['1 run.created', '2 run.completed']);
  });

  it('throws what will not pass: a refusal, a server that never answers, an aborted signal', async () => {
    answer = (_, response) => send(response, 404, problem(404, 'run_not_found'));
    await expect(collect()).rejects.toMatchObject({ code: 'run_not_found' });
    expect(seen).toHaveLength(1);

    const dead = new LatticeClient({ url: 'http://127.0.0.1:1' });
    await expect(dead.events(RUN_ID).next()).rejects.toBeInstanceOf(Unreachable);

    answer = (_, response) => open(response, frame(1, 'run.created'));
    const stop = new AbortController();
    const events = new LatticeClient({ url }).events(RUN_ID, { signal: stop.signal });
    await events.next();
    const pending = events.next();
    stop.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });
});
