import { Option, type Command } from 'commander';
import { KEY_SCOPES, type KeyView } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { moment, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

const createSchema = z.object({ scope: z.enum(KEY_SCOPES) });

/** `lattice keys`: who may use the API. Needs a key of an administrator. */
export function registerKeys(program: Command, shell: Shell): void {
  const keys = program.command('keys').description('make, list and revoke keys of the API');
  does(
    shell,
    keys.command('list').alias('ls').description('Lists the keys, the revoked ones too.'),
    z.object({}),
    list,
  );
  const create = keys
    .command('create')
    .description('Makes a key. Its secret is printed once and can be read nowhere again.')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(KEY_SCOPES).makeOptionMandatory());
  does(shell, create, createSchema, make);
  const revoke = keys.command('revoke').description('Revokes a key for good.').argument('<id>', 'id of the key');
  does(shell, revoke, z.object({}), (context, _options, args) => end(context, args[0] ?? ''));
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal, globals } = context;
  const keys = await context.client().keys.list();
  if (globals.json) printJson(terminal.out, { keys });
  else print(terminal.out, renderKeys(keys, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}

function renderKeys(keys: readonly KeyView[], colors: Colors): string {
  const at = (time: string | null): string => (time === null ? '' : moment(time));
  return table(
    keys,
    [
      { title: 'ID', of: (key) => key.id },
      { title: 'NAME', of: (key) => key.name },
      { title: 'SCOPE', of: (key) => key.scope },
      { title: 'CREATED (UTC)', of: (key) => at(key.createdAt) },
      { title: 'LAST USED (UTC)', of: (key) => (key.lastUsedAt === null ? 'never' : at(key.lastUsedAt)) },
      { title: 'REVOKED (UTC)', of: (key) => at(key.revokedAt), paint: (text) => colors.red(text) },
    ],
    colors.dim,
  );
}

/** The secret alone is on stdout, so that a script can take it. */
async function make(
  context: Context,
  { scope }: z.infer<typeof createSchema>,
  [name = '']: readonly string[],
): Promise<ExitCode> {
  const { terminal, globals } = context;
  const created = await context.client().keys.create({ name, scope });
  if (globals.json) {
    printJson(terminal.out, created);
    return EXIT.completed;
  }
  print(terminal.err, `key ${created.id} (${scope}); this is the only time that it is shown:`);
  print(terminal.out, created.key);
  return EXIT.completed;
}

async function end(context: Context, id: string): Promise<ExitCode> {
  const { terminal, globals } = context;
  await context.client().keys.revoke(id);
  if (globals.json) printJson(terminal.out, { id, revoked: true });
  else print(terminal.out, `key ${id} is revoked; other API processes refuse it within 5 seconds`);
  return EXIT.completed;
}
