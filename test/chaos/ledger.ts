import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const lineSchema = z.object({ token: z.string(), pid: z.number(), at: z.number() });

/** One execution of an attempt, as it happened. */
export interface Execution {
  readonly runId: string;
  readonly epoch: number;
  readonly task: string;
  readonly attempt: number;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What was executed, in order. A process may have been killed in the middle of its line. */
export function readLedger(file: string): Execution[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => {
      const { token, pid, at } = lineSchema.parse(JSON.parse(line));
      const [runId = '', epoch = '', task = '', attempt = ''] = token.split('.');
      return { runId, epoch: Number(epoch), task, attempt: Number(attempt), pid, at };
    });
}
