import type { Logger } from '@lattice/config';
import type { LoggerService } from '@nestjs/common';

/** What Nest says, in our log. Its start-up messages are of interest only to who looks for a fault. */
export function nestLogger(log: Logger): LoggerService {
  const say =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      log[level]({ nest: rest.at(-1), ...(message instanceof Error ? { err: message } : {}) }, textOf(message));
    };
  return {
    log: say('debug'),
    debug: say('debug'),
    verbose: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
  };
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  return message instanceof Error ? message.message : (JSON.stringify(message) ?? 'undefined');
}
