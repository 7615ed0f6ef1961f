import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import { LatticeError } from '@lattice/contracts';
import { hashKey, type Identity, type KeyRing } from '@lattice/engine';
import { Failures } from './failures';
import { SESSION_COOKIE, cookieOf, verifySession } from './session';

/** Answers to wrong keys that are held back at once; beyond that they are not held back. */
const MAX_HELD = 200;

/** Finds out who makes a request or opens a socket: by `Authorization: Bearer KEY`, or by the cookie of a browser session. */
export class Authenticator {
  private readonly failures = new Failures();
  private held = 0;

  constructor(
    private readonly keys: KeyRing,
    readonly sessionSecret: string,
  ) {}

  /** Undefined when the request carries neither key nor session. Throws `unauthorized`, `too_many_requests`, `forbidden`. */
  async identify(request: IncomingMessage): Promise<Identity | undefined> {
    const header = request.headers.authorization;
    if (header !== undefined) {
      const key = /^Bearer +(\S+) *$/i.exec(header)?.[1];
      if (key === undefined) throw new LatticeError('unauthorized', 'Authorization has to be `Bearer KEY`.');
      return this.byKey(key, addressOf(request));
    }
    const cookie = cookieOf(request.headers.cookie, SESSION_COOKIE);
    if (cookie === undefined) return undefined;
    const hash = verifySession(this.sessionSecret, cookie);
    const identity = hash === undefined ? undefined : await this.keys.find(hash);
    if (identity !== undefined && isForged(request)) {
      throw new LatticeError('forbidden', 'A page of another origin may not use the session of this one.');
    }
    return identity;
  }

  /** Whose key it is. Throws `unauthorized`, a little late, and `too_many_requests` to who guesses. */
  async byKey(key: string, address: string): Promise<Identity> {
    const hash = hashKey(key);
    if (!this.keys.knows(hash)) {
      const wait = this.failures.blockedFor(address);
      if (wait > 0) {
        throw new LatticeError('too_many_requests', 'Too many wrong keys came from this address.', {
          details: { retryAfter: wait },
        });
      }
    }
    const identity = await this.keys.find(hash);
    if (identity !== undefined) return identity;
    await this.holdBack(this.failures.add(address));
    throw new LatticeError('unauthorized', 'The key is not valid.');
  }

  private async holdBack(ms: number): Promise<void> {
    if (this.held >= MAX_HELD) return;
    this.held += 1;
    try {
      await sleep(ms);
    } finally {
      this.held -= 1;
    }
  }
}

/** The address a request comes from. */
export function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/**
 * A browser sends the cookie with what any page of the same SITE asks for, and another port is the same site. So what
 * changes something, and every socket, must come from the same ORIGIN.
 */
function isForged(request: IncomingMessage): boolean {
  const origin = request.headers.origin;
  const reads = (request.method === 'GET' || request.method === 'HEAD') && request.headers.upgrade === undefined;
  if (reads || origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.headers.host;
}
