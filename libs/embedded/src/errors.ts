/** What can keep the embedded services or the platform from starting. */
export const embeddedCodes = {
  homeBusy: 'home_busy',
  portTaken: 'port_taken',
  portInvalid: 'port_invalid',
  redisMissing: 'redis_missing',
  pythonMissing: 'python_missing',
  postgresMissing: 'postgres_missing',
  serviceFailed: 'service_failed',
  appFailed: 'app_failed',
  notReady: 'not_ready',
  stopped: 'stopped',
} as const;

export type EmbeddedCode = (typeof embeddedCodes)[keyof typeof embeddedCodes];

/** The message is meant for a terminal: what happened and what to do next. */
export class EmbeddedError extends Error {
  constructor(
    readonly code: EmbeddedCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'EmbeddedError';
  }
}

/** The code of a system error (ENOENT, EEXIST); undefined for anything else that was thrown. */
export function systemCode(error: unknown): string | undefined {
  const known = typeof error === 'object' && error !== null && 'code' in error;
  return known && typeof error.code === 'string' ? error.code : undefined;
}
