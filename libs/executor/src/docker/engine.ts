import { taskError, type TaskError } from '@lattice/contracts';
import Dockerode from 'dockerode';
import { TaskFault } from '../outcome';
import { fieldOf, messageOf } from '../thrown';

/** A call to the engine that takes longer has failed; starting a container on a busy machine takes seconds. */
const CALL_MS = 60_000;

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
  'EHOSTUNREACH',
]);
const LOST: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** The Docker engine, with a time limit on every call and errors that say what to do. */
export interface Engine {
  readonly client: Dockerode;
  /**
   * Makes one call. Throws TaskFault when the engine can't be reached or does not answer in time; errors that the engine
   * itself answers with are thrown as they are: see `statusOf`.
   */
  call<T>(what: string, make: (signal: AbortSignal) => Promise<T>, limitMs?: number): Promise<T>;
}

/** Without a socket: DOCKER_HOST, else the engine's usual socket. */
export function connectEngine(socketPath?: string): Engine {
  // A host, from the environment, would beat the socket asked for.
  const settings: Dockerode.DockerOptions | undefined =
    socketPath === undefined ? undefined : Object.assign({ socketPath }, { host: undefined });
  const client = new Dockerode(settings);
  return {
    client,
    async call(what, make, limitMs = CALL_MS) {
      const abort = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      // Not every call of the client heeds the signal.
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          abort.abort();
          reject(new TaskFault(noAnswer(what, limitMs)));
        }, limitMs);
      });
      try {
        return await Promise.race([make(abort.signal), late]);
      } catch (error) {
        if (abort.signal.aborted) throw new TaskFault(noAnswer(what, limitMs));
        throw connectionFault(what, error) ?? error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** HTTP status of an error that the engine answered with; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  const status = fieldOf(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

function noAnswer(what: string, limitMs: number): TaskError {
  return taskError('sandbox_failed', `the Docker engine did not ${what} within ${limitMs} ms`, { retryable: true });
}

function connectionFault(what: string, error: unknown): TaskFault | undefined {
  const code = fieldOf(error, 'code');
  if (UNREACHABLE.has(code)) {
    const hint = 'start it, or set DOCKER_HOST, or let the worker into the group of its socket';
    return new TaskFault(taskError('docker_unavailable', `no Docker engine answers (${messageOf(error)}): ${hint}`));
  }
  if (!LOST.has(code)) return undefined;
  const message = `the connection to the Docker engine was lost (could not ${what}: ${messageOf(error)})`;
  return new TaskFault(taskError('sandbox_failed', message, { retryable: true }));
}
