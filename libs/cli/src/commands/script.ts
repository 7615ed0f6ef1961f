import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { isFinalRun, parseDuration, type RunView } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { findApiKey, findHome, findUrl, shortPath } from '../connection';
import { EXIT, exitOfRun, type ExitCode } from '../exit-codes';
import { count, table } from '../format';
import { interruptible } from '../interrupt';
import { follow } from '../progress/follow';
import { does, type Context, type Shell } from '../register';
import { openHost, type Host } from '../script/host';
import { DEFAULT_DEPTH, DEFAULT_TIMEOUT, documentOf, planScripts, type ScriptPlan } from '../script/plan';
import { beginLogs, openScriptLogs } from '../script/script-logs';
import { renderScripts, summarise } from '../script/summary';
import { colorsOf, print, printJson } from '../terminal';
import { collect } from './run';
import { printerFor } from './watch-run';

const optionsSchema = z.object({
  jobs: z.number().optional(),
  timeout: z.string().optional(),
  filter: z.array(z.string()).default([]),
  skip: z.array(z.string()).default([]),
  depth: z.number().optional(),
  allowExit: z.array(z.number()).optional(),
  failFast: z.boolean().default(false),
  logs: z.string().optional(),
  tag: z.array(z.string()).default([]),
  quiet: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;

export function registerScript(program: Command, shell: Shell): void {
  const command = program
    .command('script')
    .summary('run the executable files of a folder')
    .description(
      'Runs the executable files of a folder side by side, on this machine, as one run of the platform: with its history, logs and cancel. ' +
        'Each script runs in the folder. lattice-scripts.yaml in it may say more about each.',
    )
    .argument('<folder>', 'folder with the scripts')
    .option('-j, --jobs <n>', 'scripts at once (default: the processors of this machine)', parseJobs)
    .option('--timeout <duration>', `of a script: 30s, 5m (default ${DEFAULT_TIMEOUT})`, parseTimeout)
    .option('--filter <pattern>', "only scripts that fit: 'db-*', 'nightly/**'; may be given several times", collect)
    .option('--skip <pattern>', "leave out scripts that fit: '*_old*'; may be given several times", collect)
    .option(
      '--depth <n>',
      `levels of folders to look into (default ${DEFAULT_DEPTH}; 1: the folder itself)`,
      parseDepth,
    )
    .option('--allow-exit <codes>', 'exit codes of success (default 0): 0,3', parseExits)
    .option('--fail-fast', 'stop the others when one fails')
    .option('--logs <folder>', 'for the logs and summary.json (default .lattice/scripts/RUN)')
    .option('-t, --tag <tag>', 'a tag to find the run by; may be given several times', collect)
    .option('-q, --quiet', 'hide what the scripts print')
    .option('-n, --dry-run', 'show what would be run, and run nothing')
    .addHelpText(
      'after',
      '\nExit code: 0 all completed, 1 one failed or was cancelled, 2 bad input or no script, 3 unreachable, 130 interrupted.',
    );
  does(shell, command, optionsSchema, script);
}

async function script(context: Context, options: Options, [folder = '']: readonly string[]): Promise<ExitCode> {
  const { terminal } = context;
  const plan = await planScripts(folder, terminal.cwd, options);
  if (options.dryRun) return showPlan(plan, context);
  if (plan.scripts.length === 0) throw nothingToRun(plan, folder);
  return await runScripts(plan, context, options);
}

function nothingToRun({ passedOver }: ScriptPlan, folder: string): BadInput {
  const shown = passedOver.slice(0, 5).map(({ path, reason }) => `\n  ${path}: ${reason}`);
  const more = passedOver.length > shown.length ? `\n  and ${passedOver.length - shown.length} more` : '';
  return new BadInput(`there is no script to run in ${folder}.${shown.join('')}${more}`);
}

function showPlan(plan: ScriptPlan, { terminal, globals }: Context): ExitCode {
  const { scripts, passedOver } = plan;
  if (globals.json) {
    printJson(terminal.out, plan);
    return EXIT.completed;
  }
  const colors = colorsOf(terminal.out, terminal.env);
  const paths = new Map(scripts.map(({ key, path }) => [key, path]));
  const columns = [
    { title: 'SCRIPT', of: (one: (typeof scripts)[number]) => one.path },
    { title: 'TIMEOUT', of: (one: (typeof scripts)[number]) => one.timeout, align: 'right' as const },
    { title: 'EXITS', of: (one: (typeof scripts)[number]) => one.allowExit.join(',') },
    { title: 'AFTER', of: (one: (typeof scripts)[number]) => one.needs.map((key) => paths.get(key)).join(', ') },
    { title: 'ARGUMENTS', of: (one: (typeof scripts)[number]) => one.args.join(' ') },
  ];
  if (scripts.length > 0) print(terminal.out, `${table(scripts, columns, colors.dim)}\n`);
  for (const { path, reason } of passedOver) print(terminal.out, colors.dim(`not run: ${path} (${reason})`));
  print(terminal.out, `${count(scripts.length, 'script')} would be run`);
  return EXIT.completed;
}

async function runScripts(plan: ScriptPlan, context: Context, options: Options): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const client = context.client();
  // Says at once that nobody answers, or that the key is wrong: a worker would try again and again.
  await client.listRuns({ limit: 1 });
  const logs = openScriptLogs(logsFolder(plan, context, options));
  beginLogs(logs, plan.scripts);
  const host = await openHost({
    url: findUrl(globals.url, terminal.env, terminal.cwd).value,
    apiKey: findApiKey(globals.apiKey, terminal.env, terminal.cwd)?.value,
    plan,
    jobs: options.jobs ?? plan.jobs ?? availableParallelism(),
    logs,
    command: name,
  });
  const interrupt = await interruptible();
  try {
    const { run, tails } = await followRun({ client, plan, host, context, options, stop: interrupt.signal });
    const summary = summarise(run, plan, logs);
    logs.finish(summary);
    const shown = shortPath(logs.folder, terminal.cwd);
    if (globals.json) printJson(terminal.out, summary);
    else {
      const colors = colorsOf(terminal.out, terminal.env);
      const text = renderScripts(summary, { colors, tails, logs: `${shown} (with summary.json)`, command: name });
      print(terminal.out, `\n${text}`);
    }
    return interrupt.signal.aborted ? EXIT.interrupted : exitOfRun(run.status);
  } finally {
    interrupt.end();
    await host.close();
  }
}

/** By the time of the run and its name, so that they stand in order. */
function logsFolder(plan: ScriptPlan, { terminal }: Context, { logs }: Options): string {
  if (logs !== undefined) return resolve(terminal.cwd, logs);
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  return join(findHome(terminal.env, terminal.cwd), 'scripts', `${stamp}-${plan.name}-${process.pid}`);
}

interface Following {
  client: LatticeClient;
  plan: ScriptPlan;
  host: Host;
  context: Context;
  options: Options;
  /** Ctrl-C: the scripts run here, so they end with us. */
  stop: AbortSignal;
}

async function followRun({ client, plan, host, context, options, stop }: Following): ReturnType<typeof follow> {
  const document = documentOf(plan, () => ({ uses: host.uses }));
  const tags = options.tag;
  const { runId } = await client.submit({ workflow: document, ...(tags.length > 0 && { tags }) });
  const names = new Map(plan.scripts.map(({ key, path }) => [key, path]));
  const printer = printerFor(context, { quiet: options.quiet, hint: 'Ctrl-C stops the scripts' });
  const lost = new AbortController();
  host.ended.catch((error: unknown) => lost.abort(error));
  const cancel = (): void => void cancelRun(client, runId, lost);
  stop.addEventListener('abort', cancel, { once: true });
  try {
    if (stop.aborted) cancel();
    return await follow({ client, runId, printer, signal: lost.signal, names });
  } catch (error) {
    // Nobody else can do its tasks: without us it would wait for ever.
    await client.cancel(runId).catch(() => undefined);
    throw error;
  } finally {
    stop.removeEventListener('abort', cancel);
  }
}

/** A run that cannot be cancelled any more has ended, or its platform is gone: then there is nothing to wait for. */
async function cancelRun(client: LatticeClient, runId: string, lost: AbortController): Promise<void> {
  try {
    await client.cancel(runId);
  } catch (error) {
    const ended = await client.getRun(runId).then(
      ({ status }: RunView) => isFinalRun(status),
      () => false,
    );
    if (!ended) lost.abort(error);
  }
}

function parseJobs(text: string): number {
  return integer(text, 1, 1_000);
}

function parseDepth(text: string): number {
  return integer(text, 1, 100);
}

function integer(text: string, from: number, to: number): number {
  const n = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(n >= from && n <= to)) throw new InvalidArgumentError(`It must be an integer from ${from} to ${to}.`);
  return n;
}

function parseTimeout(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError('Write a number and a unit: 500ms, 30s, 5m.');
  return text;
}

function parseExits(text: string): number[] {
  return text.split(',').map((code) => integer(code.trim(), 0, 255));
}
