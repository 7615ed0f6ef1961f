import { randomBytes } from 'node:crypto';
import type { SecretView } from '@lattice/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { readText } from '../document/read-document';
import { EXIT, type ExitCode } from '../exit-codes';
import { moment, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

const setSchema = z.object({ fromFile: z.string().default('-') });
const nothing = z.object({});

/** `lattice secrets`: values that tasks are given and nobody is shown. Needs a key of an administrator. */
export function registerSecrets(program: Command, shell: Shell): void {
  const secrets = program.command('secrets').description('store, list and remove secrets of tasks');
  const set = secrets
    .command('set')
    .description(
      'Stores a secret; its value is read from standard input, or from a file. A line end after one line is dropped.',
    )
    .argument('<name>', 'for ${{ secrets.NAME }} in the env of a task')
    .option('--from-file <path>', 'read the value from this file');
  does(shell, set, setSchema, store);
  const list = secrets.command('list').alias('ls').description('Lists the names of secrets, never their values.');
  does(shell, list, nothing, show);
  const remove = secrets.command('delete').description('Removes a secret.').argument('<name>', 'name of the secret');
  does(shell, remove, nothing, (context, _options, [name = '']) => end(context, name));
  const rotate = secrets
    .command('rotate')
    .description('Encrypts all secrets with the first key of the API, once a new one was put before the old one.');
  does(shell, rotate, nothing, reseal);
  const key = secrets.command('new-key').description('Prints a new key for LATTICE_SECRETS_KEY; asks no server.');
  does(shell, key, nothing, makeKey);
}

async function store(
  context: Context,
  { fromFile }: z.infer<typeof setSchema>,
  [name = '']: readonly string[],
): Promise<ExitCode> {
  const { terminal, globals } = context;
  const secret = await context.client().secrets.set(name, valueOf(fromFile, terminal.cwd));
  if (globals.json) printJson(terminal.out, secret);
  else print(terminal.out, `secret ${name} is stored`);
  return EXIT.completed;
}

/** `echo` and editors end a line that is all there is; of a text of many lines the last line end may matter. */
function valueOf(file: string, cwd: string): string {
  const text = readText(file, cwd);
  if (text.includes('\uFFFD')) {
    throw new BadInput(`${file === '-' ? 'standard input' : file} is not UTF-8 text; store it in base64.`);
  }
  const line = text.replace(/\r?\n$/, '');
  return line.includes('\n') ? text : line;
}

async function show(context: Context): Promise<ExitCode> {
  const { terminal, globals } = context;
  const secrets = await context.client().secrets.list();
  if (globals.json) printJson(terminal.out, { secrets });
  else print(terminal.out, renderSecrets(secrets, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}

function renderSecrets(secrets: readonly SecretView[], colors: Colors): string {
  return table(
    secrets,
    [
      { title: 'NAME', of: ({ name }) => name },
      { title: 'SET (UTC)', of: ({ updatedAt }) => moment(updatedAt) },
      { title: 'CREATED (UTC)', of: ({ createdAt }) => moment(createdAt) },
      { title: 'KEY', of: ({ keyId }) => keyId },
    ],
    colors.dim,
  );
}

async function end(context: Context, name: string): Promise<ExitCode> {
  const { terminal, globals } = context;
  await context.client().secrets.delete(name);
  if (globals.json) printJson(terminal.out, { name, deleted: true });
  else print(terminal.out, `secret ${name} is removed`);
  return EXIT.completed;
}

async function reseal(context: Context): Promise<ExitCode> {
  const { terminal, globals } = context;
  const done = await context.client().secrets.rotate();
  if (globals.json) printJson(terminal.out, done);
  else print(terminal.out, `${done.rotated} encrypted anew; all are encrypted with key ${done.keyId}`);
  return EXIT.completed;
}

async function makeKey({ terminal, globals }: Context): Promise<ExitCode> {
  const key = `lsk_${randomBytes(32).toString('base64url')}`;
  if (globals.json) printJson(terminal.out, { key });
  else print(terminal.out, key);
  return Promise.resolve(EXIT.completed);
}
