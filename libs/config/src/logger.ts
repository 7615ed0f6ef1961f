import { pino, type Logger } from 'pino';

export type { Logger };

/** A logger that writes one JSON line per entry to stdout. `app` is in every line. */
export function createLogger(app: string, level: string): Logger {
  return pino({
    level,
    base: { app, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
