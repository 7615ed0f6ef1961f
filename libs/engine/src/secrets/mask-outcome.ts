import type { TaskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { z } from 'zod';
import { MASK, type Mask } from './mask';
import { SHORTEST } from './patterns';

const detailsSchema = z.record(z.string(), z.unknown());

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What is stored of an attempt that was given secrets. */
export function maskOutcome(mask: Mask, outcome: Outcome): Outcome {
  switch (outcome.status) {
    case 'completed':
      return { ...outcome, outputJson: maskJson(mask, outcome.outputJson) };
    case 'failed':
      return { ...outcome, error: maskError(mask, outcome.error) };
    case 'cancelled':
      return outcome;
  }
}

/**
 * JSON text with the secrets in its texts, keys and numbers masked; all else stays as it was written. By a scan, not by a regular
 * expression: a text of many megabytes would overflow its stack.
 */
export function maskJson(mask: Mask, json: string): string {
  let out = '';
  let copied = 0;
  for (let at = 0; at < json.length;) {
    const end = endOfToken(json, at);
    const token = json.slice(at, end);
    const masked = end - at < SHORTEST ? token : maskToken(mask, token);
    if (masked !== token) {
      out += json.slice(copied, at) + masked;
      copied = end;
    }
    at = end;
  }
  return out + json.slice(copied);
}

function maskToken(mask: Mask, token: string): string {
  const value: unknown = token.startsWith('"') ? JSON.parse(token) : token;
  if (typeof value !== 'string') return token;
  const masked = mask.text(value);
  return masked === value ? token : JSON.stringify(masked);
}

/** Where the text or number that begins at `at` ends; the next place for anything else. */
function endOfToken(json: string, at: number): number {
  const first = json.charCodeAt(at);
  if (first === QUOTE) return endOfText(json, at);
  let end = at;
  while (isOfNumber(json.charCodeAt(end))) end += 1;
  return Math.max(end, at + 1);
}

function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let slashes = 0;
    while (json.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return json.length;
}

/** Digits and `+ - . E e`; the words of JSON hold an `e` at most. */
function isOfNumber(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) || unit === 0x2b || unit === 0x2d || unit === 0x2e || unit === 0x45 || unit === 0x65
  );
}

function maskError(mask: Mask, error: TaskError): TaskError {
  const { code, message, retryable, details, cause } = error;
  return {
    code: mask.text(code) === code ? code : MASK,
    message: mask.text(message),
    retryable,
    ...(details === undefined
      ? {}
      : { details: detailsSchema.parse(JSON.parse(maskJson(mask, JSON.stringify(details)))) }),
    ...(cause === undefined ? {} : { cause: maskError(mask, cause) }),
  };
}
