import { z } from 'zod';
import { CODES, type ErrorCode } from './codes';

/** One fault of a document or a request. `pointer` is a JSON pointer into the body (`/tasks/a/needs/0`). */
export const faultSchema = z.object({
  code: z.string(),
  pointer: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

/** The error of a task or a run, as data: it crosses processes, queues and sandboxes in this shape. */
export interface TaskError {
  code: string;
  message: string;
  /** True when another attempt may end otherwise. */
  retryable: boolean;
  details?: Record<string, unknown> | undefined;
  cause?: TaskError | undefined;
}
export const taskErrorSchema: z.ZodType<TaskError> = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
  get cause() {
    return taskErrorSchema.optional();
  },
});

/** problem+json (RFC 9457) as every error response of the API has it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  faults: z.array(faultSchema).default([]).describe('Empty when the detail says it all.'),
});
export type Problem = z.infer<typeof problemSchema>;

/** An error with a published code. The API turns it into problem+json, the CLI into an exit code, a worker into a task error. */
export class LatticeError extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly Fault[] | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { faults?: readonly Fault[]; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LatticeError';
    this.code = code;
    this.faults = options.faults;
    this.details = options.details;
  }
}

/** A fault with the hint of its code. */
export function fault(code: ErrorCode, pointer: string, message: string, hint?: string): Fault {
  return { code, pointer, message, hint: hint ?? CODES[code].hint };
}

/** A task error with the family of its code; `retryable` overrides the family. */
export function taskError(
  code: ErrorCode,
  message: string,
  options: { details?: Record<string, unknown>; retryable?: boolean } = {},
): TaskError {
  const retryable = options.retryable ?? CODES[code].family === 'retryable';
  return options.details === undefined
    ? { code, message, retryable }
    : { code, message, retryable, details: options.details };
}

/** JSON pointer of a path. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
