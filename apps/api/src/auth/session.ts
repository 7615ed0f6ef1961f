import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

export const SESSION_COOKIE = 'lattice_session';
/** A browser stays signed in so long: 12 hours. */
export const SESSION_MS = 12 * 3_600_000;

const sessionSchema = z.object({ keyHash: z.string(), expires: z.number() });

/** The value of a session cookie: the hash of the key it stands for and its end, signed. The hash opens nothing by itself. */
export function signSession(secret: string, keyHash: string, now: number = Date.now()): string {
  const payload = Buffer.from(JSON.stringify({ keyHash, expires: now + SESSION_MS })).toString('base64url');
  return `${payload}.${signatureOf(secret, payload)}`;
}

/** The key hash of a cookie that we signed and that has not expired; undefined for any other text. */
export function verifySession(secret: string, cookie: string, now: number = Date.now()): string | undefined {
  const [payload, signature, ...rest] = cookie.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  if (!equal(signature, signatureOf(secret, payload))) return undefined;
  const session = sessionSchema.safeParse(parse(Buffer.from(payload, 'base64url').toString()));
  return session.success && session.data.expires > now ? session.data.keyHash : undefined;
}

/** A cookie of a Cookie header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

function signatureOf(secret: string, payload: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url');
}

function equal(a: string, b: string): boolean {
  const encoder = new TextEncoder();
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
