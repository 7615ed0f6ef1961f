import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

const optionsSchema = z.object({ workflow: z.string().optional(), task: z.string().optional() });

/** `lattice cache clear`. */
export function registerCacheClear(cache: Command, shell: Shell): void {
  const command = cache
    .command('clear')
    .description('Forgets kept results: all of them, or those of a workflow or a task.')
    .option('--workflow <name>', 'only results of tasks of this workflow')
    .option('--task <key>', 'only results of tasks of this key');
  does(shell, command, optionsSchema, clear);
}

async function clear(
  { terminal, globals, ...context }: Context,
  filter: z.infer<typeof optionsSchema>,
): Promise<ExitCode> {
  const cleared = await context.client().clearCache(filter);
  if (globals.json) printJson(terminal.out, { cleared });
  else print(terminal.out, `${cleared} kept ${cleared === 1 ? 'result' : 'results'} forgotten`);
  return EXIT.completed;
}
