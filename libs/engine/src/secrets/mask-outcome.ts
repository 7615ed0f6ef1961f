import type { TaskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { z } from 'zod';
import { MASK, type Mask } from './mask';

const detailsSchema = z.record(z.string(), z.unknown());

const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

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

/** JSON text with the secrets in its texts, keys and numbers masked; all else stays as it was written. */
export function maskJson(mask: Mask, json: string): string {
  return json.replaceAll(STRINGS_AND_NUMBERS, (token) => {
    const value: unknown = token.startsWith('"') ? JSON.parse(token) : token;
    if (typeof value !== 'string') return token;
    const masked = mask.text(value);
    return masked === value ? token : JSON.stringify(masked);
  });
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
