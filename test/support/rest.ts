import { readFile } from 'node:fs/promises';
import { LatticeClient } from '@lattice/sdk';
import { startApi } from '../../apps/api/src/start-api';
import { TestPlatform } from './platform';

/** The REST API of a platform under test, called with its admin key. */
export interface Rest {
  readonly url: string;
  readonly key: string;
  /** A request; a body that is no text goes as JSON. */
  call(path: string, options?: RestOptions): Promise<Response>;
  /** A request that must be answered with this status; gives its JSON. */
  json(status: number, path: string, options?: RestOptions): Promise<Json>;
  close(): Promise<void>;
}

export interface RestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
}

/** A JSON object whose members a test looks into. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a test reads of JSON is checked by its expectations
export type Json = Record<string, any>;

const LIMIT_MS = 30_000;

/** Starts the API on the stores of a platform, which must be open. Close it before the platform. */
export async function openRest({ engine }: TestPlatform): Promise<Rest> {
  const api = await startApi({ ...engine, settings: { ...engine.settings, port: 0 } });
  const key = (await readFile(engine.settings.adminKeyFile, 'utf8')).trim();
  const call: Rest['call'] = (path, { method = 'GET', body, headers = {} } = {}) =>
    fetch(`${api.url}${path}`, {
      method,
      signal: AbortSignal.timeout(LIMIT_MS),
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    url: api.url,
    key,
    call,
    json: async (status, path, options) => {
      const response = await call(path, options);
      const text = await response.text();
      if (response.status !== status) throw new Error(`${path} answered ${response.status}, not ${status}: ${text}`);
      return JSON.parse(text) as Json;
    },
    close: () => api.close(),
  };
}

/** A platform with its API, and a client of it. */
export interface Served {
  readonly platform: TestPlatform;
  readonly rest: Rest;
  readonly client: LatticeClient;
  close(): Promise<void>;
}

/** A platform with one scheduler and one worker behind its API. */
export async function servedPlatform(workerId?: string): Promise<Served> {
  const platform = await TestPlatform.open();
  const rest = await openRest(platform);
  await platform.scheduler();
  await platform.worker(workerId === undefined ? {} : { workerId });
  return {
    platform,
    rest,
    client: new LatticeClient({ url: rest.url, apiKey: rest.key }),
    close: async () => {
      await rest.close();
      await platform.close();
    },
  };
}
