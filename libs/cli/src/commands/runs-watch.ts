import type { Command } from 'commander';
import { z } from 'zod';
import { does, type Shell } from '../register';
import { watchRun } from './watch-run';

const optionsSchema = z.object({ quiet: z.boolean().default(false) });

export function registerRunsWatch(runs: Command, shell: Shell): void {
  const command = runs
    .command('watch')
    .description('Shows the progress of a run until it ends, then its result.')
    .argument('<id>', 'id of the run')
    .option('-q, --quiet', "hide the tasks' logs");
  does(shell, command, optionsSchema, (context, { quiet }, args) =>
    watchRun({ context, client: context.client(), runId: args[0] ?? '', quiet }),
  );
}
