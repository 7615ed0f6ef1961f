import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFinalEvent } from '@lattice/contracts';

/** An event that a run will say, `wait` milliseconds after the one before. */
export interface Line {
  wait?: number;
  type: string;
  taskKey?: string;
  attempt?: number;
  data?: Record<string, unknown>;
}

export interface ContractServer {
  url: string;
  key: string;
  /** Requests as `POST /v1/runs`, with their bodies. */
  calls: { call: string; body: string; headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

interface Event {
  id: string;
  type: string;
  runId: string;
  taskKey: string | null;
  attempt: number | null;
  at: string;
  data: Record<string, unknown>;
}

export const RUN_ID = '0199a1b2-0000-7000-8000-000000000001';
const KEY = 'lat_test';

/** A server that speaks the contract for one scripted run: problem+json, SSE with Last-Event-ID, the final view. */
export async function startContractServer(script: readonly Line[], port = 0): Promise<ContractServer> {
  const calls: ContractServer['calls'] = [];
  const run = new ScriptedRun(script);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      calls.push({ call: `${request.method} ${request.url}`, body, headers: request.headers });
      answer(run, request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    run.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${bound}`, key: KEY, calls, close };
}

class ScriptedRun {
  readonly events: Event[] = [];
  private readonly listeners = new Set<(event: Event) => void>();
  private timer: NodeJS.Timeout | undefined;
  private workflow = '';
  private tasks: string[];

  constructor(private readonly script: readonly Line[]) {
    this.tasks = [...new Set(script.flatMap(({ taskKey }) => (taskKey ? [taskKey] : [])))];
  }

  start(workflow: string): void {
    this.workflow = workflow;
    if (this.events.length === 0) this.next(0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  cancel(): void {
    this.stop();
    this.say({ type: 'run.cancelled', data: { reason: 'asked for' } });
  }

  listen(listener: (event: Event) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private next(n: number): void {
    const line = this.script[n];
    if (line === undefined) return;
    this.timer = setTimeout(() => {
      this.say(line);
      this.next(n + 1);
    }, line.wait ?? 0);
  }

  private say({
    type,
    taskKey = null,
    attempt = null,
    data = {},
  }: Omit<Line, 'taskKey' | 'attempt'> & { taskKey?: string | null; attempt?: number | null }): void {
    const at = new Date().toISOString();
    const event = { id: String(this.events.length + 1), type, runId: RUN_ID, taskKey, attempt, at, data };
    this.events.push(event);
    for (const listener of this.listeners) listener(event);
  }

  view(): object {
    const last = (types: string[], key: string | null = null): Event | undefined =>
      this.events.findLast((event) => event.taskKey === key && types.includes(event.type));
    const final = this.events.findLast(({ type }) => isFinalEvent(type));
    return {
      runId: RUN_ID,
      workflow: this.workflow,
      version: null,
      status: final?.type.split('.')[1] ?? 'running',
      priority: 0,
      tags: ['nightly'],
      createdAt: this.events[0]?.at ?? new Date().toISOString(),
      startedAt: last(['run.started'])?.at ?? null,
      finishedAt: final?.at ?? null,
      inputs: {},
      outputs: final?.data['outputs'] ?? null,
      error: final?.data['error'] ?? null,
      tasks: this.tasks.map((key) => {
        const state = last(
          ['task.started', 'task.retrying', 'task.completed', 'task.failed', 'task.skipped', 'task.cancelled'],
          key,
        );
        const ended = last(['task.completed', 'task.failed', 'task.skipped', 'task.cancelled'], key);
        return {
          key,
          status:
            state === undefined ? 'pending' : state.type === 'task.started' ? 'running' : state.type.split('.')[1],
          startedAt: last(['task.started'], key)?.at ?? null,
          finishedAt: ended?.at ?? null,
          attempts: this.events.filter((event) => event.taskKey === key && event.type === 'task.started').length,
          workerId: 'w1',
          output: ended?.data['output'] ?? null,
          error: ended?.data['error'] ?? null,
          reason: ended?.data['reason'] ?? null,
        };
      }),
    };
  }
}

function answer(run: ScriptedRun, request: IncomingMessage, response: ServerResponse, body: string): void {
  const call = `${request.method} ${request.url?.split('?')[0]}`;
  if (request.headers.authorization !== `Bearer ${KEY}`) return problem(response, 401, 'unauthorized');
  switch (call) {
    case 'POST /v1/runs':
      return submit(run, response, body);
    case 'GET /v1/runs':
      return json(response, 200, { runs: [run.view()], next: null });
    case `GET /v1/runs/${RUN_ID}`:
    case `GET /v1/runs/${RUN_ID}/wait`:
      return json(response, 200, run.view());
    case `POST /v1/runs/${RUN_ID}/cancel`:
      run.cancel();
      return json(response, 202, run.view());
    case `GET /v1/runs/${RUN_ID}/events`:
      return stream(run, request, response);
    case 'GET /v1/workers':
      return json(response, 200, { workers: [] });
    case 'GET /v1/workflows/hello':
      return json(response, 200, {
        name: 'hello',
        version: 3,
        createdAt: new Date().toISOString(),
        document: { name: 'hello', inputs: { who: { type: 'string' } }, tasks: { greet: { uses: 'handler/greet' } } },
      });
    default:
      return /\/logs$/.test(call)
        ? json(response, 200, { logs: logsOf(run, call), next: null })
        : problem(response, 404, 'run_not_found');
  }
}

function submit(run: ScriptedRun, response: ServerResponse, body: string): void {
  const { workflow } = JSON.parse(body) as {
    workflow: string | { name?: string; tasks?: Record<string, { needs?: string[] }> };
  };
  if (typeof workflow === 'object') {
    const faults = Object.entries(workflow.tasks ?? {}).flatMap(([key, task]) =>
      (task.needs ?? []).flatMap((need, n) =>
        workflow.tasks?.[need]
          ? []
          : [
              {
                code: 'unknown_dependency',
                pointer: `/workflow/tasks/${key}/needs/${n}`,
                message: `there is no task "${need}"`,
                hint: 'Name a task of this document.',
              },
            ],
      ),
    );
    if (faults.length > 0) return problem(response, 422, 'invalid_document', faults);
  }
  run.start(typeof workflow === 'string' ? workflow : (workflow.name ?? ''));
  json(response, 202, { runId: RUN_ID });
}

function stream(run: ScriptedRun, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (event: Event): void => {
    response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (isFinalEvent(event.type)) response.end();
  };
  const after = Number(request.headers['last-event-id'] ?? 0);
  run.events.filter(({ id }) => Number(id) > after).forEach(send);
  response.on('close', run.listen(send));
}

function logsOf(run: ScriptedRun, call: string): object[] {
  const key = call.split('/').at(-2);
  return run.events
    .filter((event) => event.type === 'task.log' && event.taskKey === key)
    .map(({ id, at, attempt, data }) => ({ id, at, attempt: attempt ?? 1, ...data }));
}

function problem(response: ServerResponse, status: number, code: string, faults?: object[]): void {
  json(response, status, {
    type: `https://lattice/errors/${code}`,
    title: code,
    status,
    code,
    detail: `refused: ${code}`,
    faults,
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
}
