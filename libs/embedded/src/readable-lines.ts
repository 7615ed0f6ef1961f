import { z } from 'zod';

/** Of the apps' logs: the other levels tell of nothing that went wrong. */
const shown: readonly string[] = ['warn', 'error', 'fatal'];

/** How an entry begins when it is shown. */
const entryStart = /^\d\d:\d\d:\d\d /;

/** A line as the apps write it. */
const entrySchema = z.object({
  level: z.enum(['trace', 'debug', 'info', ...shown]),
  time: z.iso.datetime(),
  msg: z.string().default(''),
  err: z.object({ message: z.string() }).optional().catch(undefined),
});

/**
 * A line of a log as it is shown in a terminal: `HH:MM:SS level message (message of the error)`, by the clock of this machine; undefined when
 * it tells of nothing that went wrong. What is no entry of an app's log stays as it is.
 */
export function readableLine(line: string): string | undefined {
  const entry = entrySchema.safeParse(parsed(line));
  if (!entry.success) return line;
  const { level, time, msg, err } = entry.data;
  if (!shown.includes(level)) return undefined;
  const reason = err === undefined || err.message === '' ? '' : ` (${err.message})`;
  // One line, and nothing that a terminal would obey.
  return `${new Date(time).toTimeString().slice(0, 8)} ${level} ${msg}${reason}`.replaceAll(/\p{Cc}+\s*/gu, ' ');
}

/** All lines as they are shown; of entries that say the same one after the other, the last. */
export function readableLines(lines: readonly string[]): string[] {
  const told = lines.flatMap((line) => readableLine(line) ?? []);
  return told.filter((line, index) => !entryStart.test(line) || withoutTime(line) !== withoutTime(told[index + 1]));
}

function withoutTime(line: string | undefined): string | undefined {
  return line?.replace(entryStart, '');
}

function parsed(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
