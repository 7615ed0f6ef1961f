import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { does, type Shell } from '../register';
import { up } from '../up/up';

const optionsSchema = z.object({
  run: z.string().optional(),
  exit: z.boolean().default(false),
  port: z.number().optional(),
  quiet: z.boolean().default(false),
});

export function registerUp(program: Command, shell: Shell): void {
  const command = program
    .command('up')
    .summary('start the platform on this machine')
    .description(
      'Starts everything on this machine: Redis and Postgres (unless REDIS_URL and DATABASE_URL are set), API, scheduler and a worker. ' +
        'Data, logs and the key are kept in .lattice (LATTICE_HOME).',
    )
    .option('--run <file>', 'then run this workflow and show its result')
    .option('--exit', 'end after that run, with its exit code')
    .option('--port <n>', 'of the API (PORT, else 3000; with --exit any free one)', parsePort)
    .option('-q, --quiet', "hide the tasks' logs");
  does(shell, command, optionsSchema, (context, options) => {
    if (options.exit && options.run === undefined)
      throw new BadInput('--exit ends after a run: say which with --run FILE.');
    return up(context, options);
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('It must be from 1 to 65535.');
  return port;
}
