import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { BadInput } from './bad-input';
import { registerCacheClear } from './commands/cache-clear';
import { registerCompletion } from './commands/completion';
import { registerExplain } from './commands/explain';
import { registerImport } from './commands/import';
import { registerKeys } from './commands/keys';
import { registerMcp } from './commands/mcp';
import { registerRun } from './commands/run';
import { registerRunsAgain } from './commands/runs-again';
import { registerRunsArtifacts } from './commands/runs-artifacts';
import { registerRunsControl } from './commands/runs-control';
import { registerRunsGet } from './commands/runs-get';
import { registerRunsList } from './commands/runs-list';
import { registerRunsLogs } from './commands/runs-logs';
import { registerRunsReport } from './commands/runs-report';
import { registerRunsSignal } from './commands/runs-signal';
import { registerRunsWatch } from './commands/runs-watch';
import { registerSchedulesControl } from './commands/schedules-control';
import { registerSchedulesCreate } from './commands/schedules-create';
import { registerSchedulesGet } from './commands/schedules-get';
import { registerSchedulesList } from './commands/schedules-list';
import { registerSchedulesNext } from './commands/schedules-next';
import { registerScript } from './commands/script';
import { registerSecrets } from './commands/secrets';
import { registerUp } from './commands/up';
import { registerValidate } from './commands/validate';
import { registerWorkers } from './commands/workers';
import { registerWorkflowsGet } from './commands/workflows-get';
import { registerWorkflowsList } from './commands/workflows-list';
import { registerWorkflowsSave } from './commands/workflows-save';
import { addExamples } from './examples';
import { EXIT, type ExitCode } from './exit-codes';
import type { Shell } from './register';
import { reportError } from './report-error';
import type { Terminal } from './terminal';

const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'))).version;

/** Runs the command line (without node and script) and gives the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const shell: Shell = { terminal, exitCode: EXIT.completed };
  const isJson = asksForJson(args);
  const program = buildProgram(shell, isJson);
  try {
    await program.parseAsync(args, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Asking for help or the version is no mistake; of one, Commander has printed its message already.
      if (error.exitCode === 0) return EXIT.completed;
      return isJson ? reportError(badInput(error), { json: true, url: undefined }, terminal) : EXIT.badInput;
    }
    const { url } = program.opts<{ url?: unknown }>();
    return reportError(error, { json: isJson, url: typeof url === 'string' ? url : undefined }, terminal);
  }
}

/** Asked of the arguments as they are: an error in them may come before they are read. Behind -- all are values. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

function badInput({ code, message }: CommanderError): BadInput {
  return new BadInput(
    code === 'commander.help' ? 'no command is given; --help shows them' : message.replace(/^error: /, ''),
  );
}

/** All commands, in the order in which help shows them. With `isJson` nothing is written about mistakes in the arguments. */
export function buildProgram(shell: Shell, isJson = false): Command {
  const { out, err } = shell.terminal;
  const program = new Command('lattice')
    .description('Graphs of tasks on CPU and GPU workers.')
    .version(VERSION, '--version', 'print the version')
    .option('--url <url>', 'address of the API (LATTICE_URL; else that of the platform started here, else port 3000)')
    .option('--api-key <key>', 'key of the API (LATTICE_API_KEY; else .lattice/admin.key, here or upward)')
    .option('--json', 'print one JSON document')
    .exitOverride()
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => isJson || err.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows how to use it)');
  registerUp(program, shell);
  registerRun(program, shell);
  registerScript(program, shell);
  registerValidate(program, shell);
  registerExplain(program, shell);
  registerImport(program, shell);
  const runs = program.command('runs').description('list, watch and control runs');
  registerRunsList(runs, shell);
  registerRunsGet(runs, shell);
  registerRunsLogs(runs, shell);
  registerRunsWatch(runs, shell);
  registerRunsControl(runs, shell);
  registerRunsSignal(runs, shell);
  registerRunsAgain(runs, shell);
  registerRunsReport(runs, shell);
  registerRunsArtifacts(runs, shell);
  registerWorkers(program, shell);
  const workflows = program.command('workflows').description('list, read and save workflows');
  registerWorkflowsList(workflows, shell);
  registerWorkflowsGet(workflows, shell);
  registerWorkflowsSave(workflows, shell);
  registerCacheClear(program.command('cache').description('results that are kept for tasks'), shell);
  const schedules = program.command('schedules').description('run workflows by the clock');
  registerSchedulesList(schedules, shell);
  registerSchedulesGet(schedules, shell);
  registerSchedulesCreate(schedules, shell);
  registerSchedulesControl(schedules, shell);
  registerSchedulesNext(schedules, shell);
  registerSecrets(program, shell);
  registerKeys(program, shell);
  registerMcp(program, shell);
  registerCompletion(program, shell);
  addExamples(program);
  return program;
}
