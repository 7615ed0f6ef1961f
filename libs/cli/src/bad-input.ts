import type { LocatedFault } from './document/locate';

/** The user gave something that cannot be used. The message says what, and what to do. */
export class BadInput extends Error {
  /** For --json. */
  readonly code: string;
  readonly faults: readonly LocatedFault[];

  constructor(message: string, options: { code?: string; faults?: readonly LocatedFault[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BadInput';
    this.code = options.code ?? 'bad_request';
    this.faults = options.faults ?? [];
  }
}
