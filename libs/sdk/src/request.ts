import { problemSchema, type ErrorCode } from '@lattice/contracts';
import { backoff, parseRetryAfter, sleep } from './backoff';
import { ApiError, Unreachable, reasonOf } from './errors';

export interface ClientOptions {
  /** Where the API listens, for instance http://127.0.0.1:3000. Default: LATTICE_URL of the environment. */
  url?: string | undefined;
  /** Default: LATTICE_API_KEY of the environment. */
  apiKey?: string | undefined;
  /** In place of the global fetch. */
  fetch?: typeof fetch | undefined;
  /** Time limit of a call with all its repeats, in milliseconds. Default 30,000. */
  timeoutMs?: number | undefined;
}

/** A connection on which nothing was sent yet. */
export function connectionTo(url: string, apiKey: string | undefined, options: ClientOptions = {}): Connection {
  return { url, apiKey, fetch: options.fetch ?? fetch, timeoutMs: options.timeoutMs ?? 30_000, reached: false };
}

export interface CallOptions {
  /** Aborting ends the call; it then rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
  /** Time limit of this call with all its repeats, in milliseconds. */
  timeoutMs?: number | undefined;
}

export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  /** The server has answered at least once: should it be away later, it is worth waiting for. */
  reached: boolean;
}

export interface Call extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | readonly string[] | undefined> | undefined;
  body?: { type: 'json'; value: unknown } | { type: 'yaml'; text: string } | BytesBody | undefined;
  idempotencyKey?: string | undefined;
  /** A POST that changes nothing when it comes twice. GET and calls with an idempotency key always are. */
  repeatable?: boolean | undefined;
  /** Of the answer; application/json when absent. */
  accept?: string | undefined;
  lastEventId?: string | undefined;
  /** Others. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A body that is read as it is sent. */
interface BytesBody {
  type: 'bytes';
  bytes: AsyncGenerator<Uint8Array, void>;
}

export const MARKDOWN = 'text/markdown';

const MEDIA = { json: 'json', yaml: 'yaml', bytes: 'octet-stream' } as const;
const REPEATS = 3;
const PASSING = new Set([502, 503, 504]);

/** Makes a call and gives its JSON body, not parsed yet; of a call that accepts Markdown the text. Throws ApiError and Unreachable. */
export async function request(connection: Connection, call: Call): Promise<unknown> {
  const limit = call.timeoutMs ?? connection.timeoutMs;
  const deadline = Date.now() + limit;
  const timer = AbortSignal.timeout(limit);
  const signal = call.signal ? AbortSignal.any([call.signal, timer]) : timer;
  const repeats = call.method === 'GET' || call.idempotencyKey !== undefined || call.repeatable ? REPEATS : 0;
  for (let n = 0; ; n += 1) {
    try {
      return await requestOnce(connection, call, signal);
    } catch (error) {
      if (call.signal?.aborted) throw error;
      if (timer.aborted) throw new Unreachable(connection.url, `the time limit of ${limit / 1_000} s passed`, error);
      const wait = Math.max(backoff(n), retryAfterOf(error) ?? 0);
      if (n >= repeats || !isPassing(error) || Date.now() + wait >= deadline) throw error;
      await sleep(wait, signal);
    }
  }
}

/** True for an error after which the same call may well succeed. A workflow that refuses more runs is none: it is meant so. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof ApiError && (PASSING.has(error.status) || error.code === 'too_many_requests');
}

export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.retryAfterMs : undefined;
}

async function requestOnce(connection: Connection, call: Call, signal: AbortSignal): Promise<unknown> {
  const response = await send(connection, call, signal);
  const text = await read(connection, response, signal);
  if (!response.ok) throw apiErrorOf(response, text, connection.url);
  if (text === '') return undefined;
  if (call.accept === MARKDOWN) return text;
  const body = parseJson(text);
  if (body === undefined) throw misfit(connection.url, response.status, 'the body is not JSON');
  return body;
}

/** Sends a call and gives the response as soon as its headers are there. */
export async function send(connection: Connection, call: Call, signal: AbortSignal): Promise<Response> {
  const init = { method: call.method, headers: headersOf(connection, call), signal, ...bodyOf(call) };
  try {
    // Called bare: browsers refuse a fetch that is called as a method of another object.
    const { fetch: bare } = connection;
    const response = await bare(urlOf(connection, call), init);
    connection.reached = true;
    return response;
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable(connection.url, reasonOf(error), error);
  }
}

async function read(connection: Connection, response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable(connection.url, `the answer broke off: ${reasonOf(error)}`, error);
  }
}

function urlOf(connection: Connection, call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) query.append(name, String(one));
  }
  const search = query.size > 0 ? `?${query.toString()}` : '';
  return `${connection.url}${call.path}${search}`;
}

function bodyOf({ body }: Call): Pick<RequestInit, 'body'> & { duplex?: 'half' } {
  if (body === undefined) return {};
  if (body.type === 'json') return { body: JSON.stringify(body.value) };
  return body.type === 'yaml' ? { body: body.text } : { body: streamOf(body.bytes), duplex: 'half' };
}

/** Bytes as fetch takes them, asked for as they are sent. */
function streamOf(bytes: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await bytes.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await bytes.return()),
  });
}

function headersOf(connection: Connection, call: Call): Record<string, string> {
  const headers: Record<string, string> = { accept: call.accept ?? 'application/json', ...call.headers };
  if (connection.apiKey !== undefined) headers['authorization'] = `Bearer ${connection.apiKey}`;
  if (call.body !== undefined) headers['content-type'] = `application/${MEDIA[call.body.type]}`;
  if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
  if (call.lastEventId !== undefined) headers['last-event-id'] = call.lastEventId;
  return headers;
}

/** The error of a response: what its problem+json says, else a guess from the status. */
export function apiErrorOf(response: Response, text: string, url: string): ApiError {
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
  const problem = problemSchema.safeParse(parseJson(text));
  if (problem.success) {
    const { code, status, detail, title, faults } = problem.data;
    return new ApiError({ code, status, message: detail || title, faults, retryAfterMs });
  }
  const { status } = response;
  const message = `${url} answered ${status}, not as Lattice does: is something else listening there?`;
  return new ApiError({ code: codeOf(status), status, message, retryAfterMs });
}

/** What something between client and API means, a proxy for instance. */
function codeOf(status: number): ErrorCode {
  if (status === 429) return 'too_many_requests';
  return PASSING.has(status) ? 'unavailable' : 'internal';
}

/** The answer is none of the contract: another server, or another version. */
export function misfit(url: string, status: number, what: string): ApiError {
  const message = `the answer of ${url} does not fit the contract (${what}): another version, or something else listening there?`;
  return new ApiError({ code: 'internal', status, message });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
