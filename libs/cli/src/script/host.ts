import { randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { ApiError, Unreachable, worker, type HandlerContext, type Worker } from '@lattice/sdk';
import { BadInput } from '../bad-input';
import { performScript } from './perform-script';
import type { ScriptPlan, PlannedScript } from './plan';
import type { ScriptLogs } from './script-logs';

/** This process as the worker of one run: it does the scripts of a folder, here, beside the files that they read. */
export interface Host {
  /** What tasks of the run use. */
  readonly uses: string;
  /** Rejects when the server will have it no longer. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly plan: ScriptPlan;
  /** Scripts at once. */
  readonly jobs: number;
  readonly logs: ScriptLogs;
  readonly command: string;
}

const CONNECT_MS = 10_000;
const STOP_MS = 7_000;

/** Joins the platform. Throws Unreachable, and BadInput for a key that may not be a worker's. */
export async function openHost({ url, apiKey, plan, jobs, logs, command }: HostOptions): Promise<Host> {
  const name = `script-${randomUUID().slice(0, 13)}`;
  const scripts = new Map(plan.scripts.map((script) => [script.key, script]));
  const joined = worker({
    url,
    apiKey,
    concurrency: jobs,
    handlers: {
      [name]: async (_input, context) => {
        const script = scripts.get(context.taskKey);
        if (script === undefined) throw new Error(`there is no script of the task ${context.taskKey}`);
        return { script: script.path, exitCode: await perform(plan.folder, script, context, logs) };
      },
    },
  });
  try {
    await connected(joined, url);
  } catch (error) {
    await joined.stop(0);
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) throw notAllowed(command, error);
    throw error;
  }
  return { uses: `handler/${name}`, ended: joined.ended, close: () => joined.stop(STOP_MS) };
}

async function connected(joined: Worker, url: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Unreachable(url, 'it took no worker within 10 s')), CONNECT_MS);
  });
  await Promise.race([joined.connected(), late]).finally(() => clearTimeout(timer));
}

function notAllowed(command: string, cause: ApiError): BadInput {
  const message =
    'the scripts run in this process, which joins as a worker: that takes a key of the scope admin. ' +
    `Make one with \`${command} keys create NAME --scope admin\`.`;
  return new BadInput(message, { code: cause.code, cause });
}

/** One try: its output goes to the log file as it is, and line by line to the platform. */
async function perform(
  folder: string,
  script: PlannedScript,
  context: HandlerContext,
  logs: ScriptLogs,
): Promise<number> {
  if (context.attempt > 1) logs.write(script, `--- attempt ${context.attempt}\n`);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const onOutput = (bytes: Buffer): void => {
    logs.write(script, bytes);
    const text = rest + decoder.write(bytes);
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) context.log(text.slice(0, end));
    rest = text.slice(end);
  };
  try {
    return await performScript({ folder, script, signal: context.signal, onOutput });
  } finally {
    rest += decoder.end();
    if (rest !== '') context.log(rest);
  }
}
