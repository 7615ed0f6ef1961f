import { z } from 'zod';

const errorSchema = z.object({
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
  constraint: z.string().optional().catch(undefined),
  syscall: z.string().optional().catch(undefined),
});

/** Codes of sockets and of Postgres that mean: the connection is gone or was never made, and another may serve. */
const LOSS_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  '25006', // read-only: a standby after a failover
  '25P03', // idle_in_transaction_session_timeout ended it
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
]);
/** Errors that pg raises itself have no code. */
const LOSS_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Connection ended unexpectedly)/;
/** Data exceptions, integrity violations, and limits of the program (JSON nested too deep, a row too big). */
const DATA_CLASSES = /^(22|23|54)/;
/** How deep causes are followed. */
const DEPTH = 5;

/**
 * True when the connection to Postgres was lost or could not be made. A statement in flight may or may not have been
 * committed: repeat only what may be repeated. To be asked of errors that this package threw.
 */
export function isConnectionLoss(error: unknown): boolean {
  return chainOf(error).some((link) => {
    const { code, message, syscall } = errorSchema.parse(link);
    // The socket file of a server that is down.
    if (code === 'ENOENT') return syscall === 'connect';
    return code === undefined ? LOSS_MESSAGES.test(message) : LOSS_CODES.has(code) || code.startsWith('08');
  });
}

/** True when Postgres refused the data of a statement: the same data would be refused again. */
export function isDataRefusal(error: unknown): boolean {
  return chainOf(error).some((link) => DATA_CLASSES.test(errorSchema.parse(link).code ?? ''));
}

/** True when a lock was not to be had within `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return chainOf(error).some((link) => errorSchema.parse(link).code === '55P03');
}

/** True when the error is a violation of the constraint named. */
export function violates(error: unknown, constraint: string): boolean {
  return chainOf(error).some((link) => errorSchema.parse(link).constraint === constraint);
}

/** The error, what it wraps, and what that wraps. */
function chainOf(error: unknown, depth = DEPTH): object[] {
  if (typeof error !== 'object' || error === null || depth === 0) return [];
  const inner: unknown[] = [];
  if ('cause' in error) inner.push(error.cause);
  if ('driverError' in error) inner.push(error.driverError);
  if (error instanceof AggregateError) inner.push(...(error.errors as unknown[]));
  return [error, ...inner.flatMap((each) => chainOf(each, depth - 1))];
}
