import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BadInput } from '../bad-input';
import type { PlannedScript } from './plan';
import type { ScriptSummary } from './summary';

/** The folder of a run's logs: `PATH.log` for each script, and summary.json. */
export interface ScriptLogs {
  readonly folder: string;
  fileOf(script: Pick<PlannedScript, 'path'>): string;
  /** Adds to the log of a script. */
  write(script: Pick<PlannedScript, 'path'>, text: Buffer | string): void;
  /** Writes summary.json. */
  finish(summary: ScriptSummary): void;
}

/** Makes the folder. Throws BadInput when it can't be written to. */
export function openScriptLogs(folder: string): ScriptLogs {
  const logs: ScriptLogs = {
    folder,
    fileOf: ({ path }) => join(folder, `${path}.log`),
    write: (script, text) => appendFileSync(logs.fileOf(script), text),
    finish: (summary) => writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`),
  };
  return logs;
}

/** Makes an empty log of each script, so that one is there for those that said nothing. Throws BadInput when it can't. */
export function beginLogs(logs: ScriptLogs, scripts: readonly PlannedScript[]): void {
  try {
    for (const script of scripts) {
      mkdirSync(dirname(logs.fileOf(script)), { recursive: true });
      writeFileSync(logs.fileOf(script), '');
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadInput(`cannot write logs to ${logs.folder}: ${why}. Give another folder with --logs.`, {
      cause: error,
    });
  }
}
