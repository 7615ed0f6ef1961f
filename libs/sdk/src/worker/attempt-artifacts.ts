import { Readable } from 'node:stream';
import {
  LEASE_HEADER,
  LatticeError,
  artifactSchema,
  filePathSchema,
  isErrorCode,
  taskError,
  type Artifact,
  type WorkerOutcome,
} from '@lattice/contracts';
import { backoff, sleep } from '../backoff';
import { ApiError, Unreachable } from '../errors';
import { fit } from '../parse-body';
import { apiErrorOf, isPassing, request, retryAfterOf, send, type Call, type Connection } from '../request';
import type { ArtifactBody, HandlerArtifacts } from '../workflow/task';

/** A save that takes longer is given up; the server does so, too. */
const LIMIT_MS = 3_600_000;
/** So long a transfer waits for an API that is away; an attempt whose lease is over is aborted before. */
const AWAY_MS = 120_000;
/** Between two signs of life while bytes flow. */
const ALIVE_MS = 250;
const PIECE = 65_536;

export interface Holder {
  /** Of the attempt, as its `execute` had it. */
  readonly id: string;
  readonly lease: string;
  readonly signal: AbortSignal;
  /** Told now and then while bytes flow. */
  readonly heard: () => void;
}

/** The files that the handler of an attempt saves and reads, by requests beside the socket. What it saved, awaited or not, is part of how the attempt ends. */
export class AttemptArtifacts implements HandlerArtifacts {
  private readonly saving: Promise<Artifact>[] = [];
  private readonly names = new Set<string>();
  private readonly over = new AbortController();
  private heardAt = 0;

  constructor(
    private readonly connection: Connection,
    private readonly holder: Holder,
  ) {}

  // Arrow functions: handlers take them out of their context, as the others.
  readonly save = (name: string, body: ArtifactBody): Promise<Artifact> => {
    const saving = this.store(name, body).catch(rethrow);
    // One that nobody awaits must not end the process; the outcome tells of it.
    saving.catch(() => undefined);
    this.saving.push(saving);
    return saving;
  };

  readonly read = async (artifact: string | Pick<Artifact, 'id'>): Promise<Readable> => {
    const id = typeof artifact === 'string' ? artifact : artifact.id;
    const signal = this.signal();
    const call = this.call('GET', `/v1/worker/artifacts/${encodeURIComponent(id)}`, {});
    const open = async (): Promise<Readable> => {
      const response = await send(this.connection, { ...call, accept: '*/*' }, signal);
      if (!response.ok) throw apiErrorOf(response, await response.text(), this.connection.url);
      return Readable.from(this.heardOf(response.body ?? new Blob([]).stream()), { objectMode: false, signal });
    };
    return again(open, signal).catch(rethrow);
  };

  /** The outcome with what was saved: of a save that failed its error, also when the handler made nothing of that. */
  async end(outcome: WorkerOutcome): Promise<WorkerOutcome> {
    if (outcome.status !== 'completed') this.over.abort(new Error('the attempt failed'));
    const saved: string[] = [];
    try {
      // More may be saved while one is waited for.
      for (const saving of this.saving) saved.push((await saving).id);
    } catch (error) {
      return outcome.status === 'completed' ? { status: 'failed', error: errorOf(error) } : outcome;
    } finally {
      this.over.abort(new Error('the attempt is over'));
    }
    return outcome.status !== 'completed' || saved.length === 0 ? outcome : { ...outcome, artifacts: saved };
  }

  private async store(name: string, body: ArtifactBody): Promise<Artifact> {
    const signal = this.signal();
    this.take(name);
    const fault: { error?: unknown } = {};
    const sendOnce = async (): Promise<Artifact> => {
      const bytes = this.bytesOf(body, fault);
      const call = this.call('PUT', '/v1/worker/artifacts', { name });
      const given = { ...call, body: { type: 'bytes' as const, bytes }, signal, timeoutMs: LIMIT_MS };
      return fit(artifactSchema, await request(this.connection, given), this.connection.url);
    };
    try {
      // A stream can be read once.
      return await (typeof body === 'string' || body instanceof Uint8Array ? again(sendOnce, signal) : sendOnce());
    } catch (error) {
      throw fault.error ?? error;
    }
  }

  private signal(): AbortSignal {
    const signal = AbortSignal.any([this.holder.signal, this.over.signal]);
    signal.throwIfAborted();
    return signal;
  }

  private call(method: 'GET' | 'PUT', path: string, query: Record<string, string>): Call {
    const { id, lease } = this.holder;
    return { method, path, query: { attempt: id, ...query }, headers: { [LEASE_HEADER]: lease } };
  }

  private take(name: string): void {
    const checked = filePathSchema.safeParse(name);
    if (!checked.success)
      throw refused(`${JSON.stringify(name)} can't be its name: ${checked.error.issues[0]?.message ?? ''}`);
    for (const other of this.names)
      if (other === name || other.startsWith(`${name}/`) || name.startsWith(`${other}/`))
        throw refused(`${JSON.stringify(name)} is refused: there is ${JSON.stringify(other)}`);
    this.names.add(name);
  }

  private async *bytesOf(body: ArtifactBody, fault: { error?: unknown }): AsyncGenerator<Uint8Array, void> {
    try {
      const parts = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
      for await (const part of parts) {
        const bytes: unknown = typeof part === 'string' ? Buffer.from(part) : part;
        if (!(bytes instanceof Uint8Array)) throw refused(`what is to be saved gave a ${typeof part}, not bytes`);
        yield* this.heardOf(piecesOf(bytes));
      }
    } catch (error) {
      fault.error = error;
      throw error;
    }
  }

  private async *heardOf(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const part of parts) {
      if (Date.now() - this.heardAt >= ALIVE_MS) {
        this.heardAt = Date.now();
        this.holder.heard();
      }
      yield part;
    }
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}

/** Tries again while the API is away. */
async function again<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const end = Date.now() + AWAY_MS;
  for (let n = 0; ; n += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = Math.max(backoff(n), retryAfterOf(error) ?? 0);
      if (signal.aborted || !isPassing(error) || Date.now() + pause > end) throw error;
      await sleep(pause, signal);
    }
  }
}

/** What a handler is told, with a code of the table, as in a worker of the platform. */
function rethrow(error: unknown): never {
  if (error instanceof Unreachable) throw new LatticeError('artifacts_unavailable', error.message, { cause: error });
  if (error instanceof ApiError && isErrorCode(error.code))
    throw new LatticeError(error.code, error.message, { cause: error });
  throw error;
}

function errorOf(error: unknown): ReturnType<typeof taskError> {
  if (error instanceof LatticeError) return taskError(error.code, error.message);
  return taskError('task_failed', error instanceof Error ? error.message : String(error));
}

function refused(message: string): LatticeError {
  return new LatticeError('artifact_refused', message);
}
