import { randomUUID } from 'node:crypto';
import { CODES, LatticeError, type ErrorCode, type Problem } from '@lattice/contracts';
import { HttpException } from '@nestjs/common';

/** Seconds after which a client may try again when a service behind the API does not answer. */
const RETRY_AFTER_S = 2;

/** What an error is answered with. `internal` is set when the fault is ours and belongs into the log under that id. */
export interface Answer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  readonly internal?: string;
}

/** Turns whatever was thrown into problem+json. Nothing of an unexpected error reaches the client but an id. */
export function toProblem(error: unknown): Answer {
  if (error instanceof LatticeError) return answerOf(error);
  if (error instanceof HttpException) return answerOf(fromHttp(error));
  if (isUnavailable(error)) {
    return answerOf(new LatticeError('unavailable', 'A service behind the API does not answer.', { cause: error }));
  }
  const id = randomUUID();
  const problem = problemOf('internal', `An unexpected fault; the log of the server has it under ${id}.`);
  return { problem, headers: {}, internal: id };
}

/** A problem of a code. The title is the code in words; the detail says what happened. */
export function problemOf(code: ErrorCode, detail: string, faults: LatticeError['faults'] = []): Problem {
  const words = code.replaceAll('_', ' ');
  return {
    type: `urn:lattice:error:${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: CODES[code].status,
    code,
    detail,
    faults: [...faults],
  };
}

function answerOf(error: LatticeError): Answer {
  return { problem: problemOf(error.code, error.message, error.faults), headers: headersOf(error) };
}

function headersOf(error: LatticeError): Record<string, string> {
  const given = error.details?.['retryAfter'];
  switch (error.code) {
    case 'unauthorized':
      return { 'WWW-Authenticate': 'Bearer realm="lattice"' };
    case 'unavailable':
    case 'artifacts_unavailable':
    case 'too_many_requests':
    case 'concurrency_limit':
      return { 'Retry-After': String(typeof given === 'number' ? given : RETRY_AFTER_S) };
    case 'method_not_allowed': {
      const allow = error.details?.['allow'];
      return typeof allow === 'string' ? { Allow: allow } : {};
    }
    default:
      return {};
  }
}

/** Errors that Nest and Express make by themselves: unknown paths, paths that can't be decoded. */
function fromHttp(error: HttpException): LatticeError {
  const status = error.getStatus();
  switch (status) {
    case 401:
      return new LatticeError('unauthorized', error.message);
    case 403:
      return new LatticeError('forbidden', error.message);
    case 404:
      return new LatticeError('not_found', error.message);
    case 405:
      return new LatticeError('method_not_allowed', error.message);
    case 413:
      return new LatticeError('payload_too_large', error.message);
    case 415:
      return new LatticeError('unsupported_media_type', error.message);
    case 503:
      return new LatticeError('unavailable', error.message);
    default:
      return status < 500
        ? new LatticeError('bad_request', error.message)
        : new LatticeError('internal', 'An unexpected fault.', { cause: error });
  }
}

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** SQLSTATE classes of Postgres: connection exception, insufficient resources, operator intervention. */
const SQL_CLASSES = /^(08|53|57)[0-9A-Z]{3}$/;
const LOST =
  /^(Connection terminated|Connection ended unexpectedly|Connection is closed|Client has encountered a connection error|Client was closed|Query read timeout|timeout expired|timeout exceeded when trying to connect|Socket timeout|Reached the max retries|Stream isn't writeable|Command timed out)/;

/** True when the error says that Redis or Postgres can't be reached, through however many wrappers. */
function isUnavailable(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (SYSTEM_CODES.has(code) || SQL_CLASSES.test(code) || LOST.test(error.message)) return true;
  // The socket file of a server that is down.
  if (code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect') return true;
  const inner = 'driverError' in error ? error.driverError : error.cause;
  return isUnavailable(inner, depth + 1);
}
