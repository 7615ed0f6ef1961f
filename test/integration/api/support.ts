import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, readSettings } from '@lattice/config';
import type { EventType, RunEvent } from '@lattice/contracts';
import { freePort } from '@lattice/embedded';
import { DocumentCache, closeEngine, openEngine, submissionOfJson, submitRun, type Engine } from '@lattice/engine';
import { insertKey, openHistorian, type Historian, type HistoryEntry } from '@lattice/persistence';
import { startApi, type RunningApi } from '../../../apps/api/src/start-api';
import { testDatabase, type TestDatabase } from '../../support/postgres';

export const DOCUMENT = {
  name: 'hello',
  inputs: { who: { type: 'string', default: 'world' } },
  tasks: { greet: { uses: 'code', with: { language: 'javascript', source: 'export default () => 1' } } },
};

/** An engine on a database and a key prefix of its own. */
export interface TestEngine {
  engine: Engine;
  history: TestHistory;
  /** Stores a run and gives its id. */
  submit(): Promise<string>;
  close(): Promise<void>;
}

export async function testEngine(): Promise<TestEngine> {
  const database = await testDatabase();
  const home = await mkdtemp(join(tmpdir(), 'lattice-api-'));
  const engine = await open(database, home);
  const keyId = randomUUID();
  await insertKey(engine.db, { id: keyId, name: 'test', hash: keyId, scopes: ['operator'] });
  const history = new TestHistory(engine);
  const documents = new DocumentCache();
  return {
    engine,
    history,
    submit: async () => {
      const submission = submissionOfJson(JSON.stringify({ workflow: DOCUMENT }), documents);
      return (await submitRun(engine, { submission, documents, apiKeyId: keyId })).runId;
    },
    close: async () => {
      await history.close();
      await removeKeys(engine);
      await closeEngine(engine);
      await database.drop();
      await rm(home, { recursive: true });
    },
  };
}

async function open(database: TestDatabase, home: string): Promise<Engine> {
  const settings = readSettings({
    REDIS_URL: process.env['REDIS_URL'],
    DATABASE_URL: database.url,
    LATTICE_PREFIX: `{test:${randomUUID()}}`,
    LATTICE_HOME: home,
    PORT: String(await freePort()),
  });
  return openEngine(settings, `test-${randomUUID()}`, createLogger('test', 'silent'));
}

async function removeKeys({ queue, settings }: Engine): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await queue.redis.scan(cursor, 'MATCH', `${settings.prefix}*`, 'COUNT', 1_000);
    if (keys.length > 0) await queue.redis.del(keys);
    cursor = next;
  } while (cursor !== '0');
}

/** Breaks the connection on which an engine listens to the bus, and no other's; true when there was one. */
export async function breakBus({ queue }: Engine): Promise<boolean> {
  const clients = String(await queue.redis.client('LIST'));
  const own = clients.split('\n').find((line) => line.includes(` name=${queue.options.name}:bus `));
  const id = /\bid=(\d+)/.exec(own ?? '')?.[1];
  // None is there while it connects again.
  return id !== undefined && Number(await queue.redis.client('KILL', 'ID', Number(id))) === 1;
}

/** What happens to runs, in the place of a scheduler: commits events and publishes them, as the historian does. */
export class TestHistory {
  private historian: Historian | undefined;
  private sequence = 0;

  constructor(private readonly engine: Engine) {}

  /** Commits events of a run without a word on the bus. */
  async commit(
    runId: string,
    events: readonly { type: EventType; data?: Record<string, unknown> }[],
  ): Promise<RunEvent[]> {
    this.historian ??= openHistorian(this.engine.db);
    if (!this.historian.held) await this.historian.tryAcquire();
    const entries = events.map((event) => this.entryOf(runId, event));
    const { ids } = await this.historian.write(entries);
    return entries.map((entry, index) => ({
      id: ids[index] ?? '',
      type: entry.type,
      runId,
      taskKey: entry.taskKey,
      attempt: entry.attempt,
      at: new Date(entry.at).toISOString(),
      data: Object(JSON.parse(entry.data)),
    }));
  }

  async publish(events: readonly RunEvent[]): Promise<void> {
    await this.engine.queue.bus.publish('live', JSON.stringify(events));
  }

  async write(
    runId: string,
    events: readonly { type: EventType; data?: Record<string, unknown> }[],
  ): Promise<RunEvent[]> {
    const committed = await this.commit(runId, events);
    await this.publish(committed);
    return committed;
  }

  async close(): Promise<void> {
    await this.historian?.close();
  }

  private entryOf(runId: string, event: { type: EventType; data?: Record<string, unknown> }): HistoryEntry {
    const isTask = event.type.startsWith('task.');
    this.sequence += 1;
    return {
      streamId: `${this.sequence}-0`,
      type: event.type,
      runId,
      epoch: 1,
      taskKey: isTask ? 'greet' : null,
      attempt: isTask ? 1 : null,
      at: Date.now(),
      data: JSON.stringify(event.data ?? {}),
    };
  }
}

export const log = (text: string) => ({ type: 'task.log' as const, data: { stream: 'stdout', text } });
export const failed = {
  type: 'run.failed' as const,
  data: { error: { code: 'run_failed', message: 'x', retryable: false } },
};
export const completed = { type: 'run.completed' as const, data: { outputs: { done: true } } };

/** An API that listens, and its admin key. */
export interface TestApi extends TestEngine {
  api: RunningApi;
  adminKey: string;
  /** A request with the admin key, unless `key` says otherwise (null: with none). */
  call(path: string, init?: RequestInit & { key?: string | null }): Promise<JsonResponse>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<JsonResponse>;
}

export interface JsonResponse extends Response {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a test reads of JSON is checked by its expectations
  json(): Promise<any>;
}

export async function testApi(): Promise<TestApi> {
  const base = await testEngine();
  const api = await startApi(base.engine);
  const adminKey = (await readFile(base.engine.settings.adminKeyFile, 'utf8')).trim();
  const call: TestApi['call'] = (path, { key = adminKey, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (key !== null && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`);
    return fetch(`${api.url}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(20_000), ...init, headers });
  };
  return {
    ...base,
    api,
    adminKey,
    call,
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    close: async () => {
      await api.close();
      await base.close();
    },
  };
}
