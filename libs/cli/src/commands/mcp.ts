import type { Command } from 'commander';
import { z } from 'zod';
import { findApiKey, findUrl } from '../connection';
import { EXIT, type ExitCode } from '../exit-codes';
import { interruptible } from '../interrupt';
import { clientAccess } from '../mcp/client-platform';
import { does, type Context, type Shell } from '../register';
import { print } from '../terminal';

const MOST_SAID = 200;

const optionsSchema = z.object({ readOnly: z.boolean().default(false), workflows: z.boolean().default(false) });

export function registerMcp(program: Command, shell: Shell): void {
  const command = program
    .command('mcp')
    .summary('serve AI assistants over the Model Context Protocol')
    .description('Serves the Model Context Protocol on stdin and stdout, for AI assistants on this machine.')
    .option('--read-only', 'only tools that change nothing')
    .option('--workflows', 'each saved workflow is a tool of its own, too');
  does(shell, command, optionsSchema, serve);
}

/** Stdout belongs to the protocol: what people should know goes to stderr, which clients keep as a log. */
async function serve(context: Context, options: z.infer<typeof optionsSchema>): Promise<ExitCode> {
  const { terminal, globals } = context;
  const url = findUrl(globals.url, terminal.env, terminal.cwd);
  const key = findApiKey(globals.apiKey, terminal.env, terminal.cwd);
  const say = (text: string): void => print(terminal.err, `lattice mcp: ${text}`);
  say(`for ${url.value} (from ${url.from}), ${key === undefined ? 'without a key' : `with the key from ${key.from}`}`);
  if (process.stdin.isTTY) say('waits for messages of a client; docs/mcp.md tells how to connect one');
  const { serveStdio } = await import('@lattice/mcp');
  const interrupt = await interruptible();
  try {
    await serveStdio(clientAccess(context.client()), {
      ...options,
      input: process.stdin,
      output: process.stdout,
      signal: interrupt.signal,
      onFault: (error) => say(shorten(error.message)),
    });
  } finally {
    interrupt.end();
  }
  return EXIT.completed;
}

/** One line: a message that is none of the protocol is told with all that was expected in its place. */
function shorten(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ');
  return line.length > MOST_SAID ? `${line.slice(0, MOST_SAID)} ...` : line;
}
