import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { EXIT } from '../exit-codes';
import { does, type Shell } from '../register';
import { print } from '../terminal';
import { SHELLS, completionScript, wordsOf } from '../completion-script';

export function registerCompletion(program: Command, shell: Shell): void {
  const command = program
    .command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a completion script, for bash, zsh or fish, to be read when a shell starts.')
    .addArgument(new Argument('<shell>').choices(SHELLS));
  does(shell, command, z.object({}), (context, _options, args) => {
    const name = z.enum(SHELLS).parse(args[0]);
    print(context.terminal.out, completionScript(name, wordsOf(program)).trimEnd());
    return Promise.resolve(EXIT.completed);
  });
}
