import { existsSync, readFileSync, renameSync, rmSync, writeFileSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedError, embeddedCodes } from '../errors';
import { runCommand } from '../run-command';
import { emptyScratch, type PostgresHost } from './unprivileged';

export const databaseName = 'lattice';

/** The major version of the binaries in package.json; a data folder of another one can't be opened by them. */
const majorVersion = '18';

/**
 * Makes the cluster and its one database, unless they are there. The folder gets its name last, so that a start killed
 * half way leaves nothing that looks finished.
 */
export async function ensureCluster(host: PostgresHost, password: string): Promise<'made' | 'found'> {
  if (existsSync(join(host.data, 'PG_VERSION'))) {
    refuseOtherVersion(host.data);
    return 'found';
  }
  emptyScratch(host);
  const passwordFile = `${host.scratch}.pw`;
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (host.uid !== undefined) chownSync(passwordFile, host.uid, host.uid);
  try {
    await run(host, 'initdb', [
      ...['-D', host.scratch, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
      // Sorted by bytes, as in C, but with capitals of all alphabets: they are searched for in letters of any case.
      ...['-N', '-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  // No client program comes with the binaries: the single-user mode takes the one statement needed.
  await run(host, 'postgres', ['--single', '-F', '-D', host.scratch, 'postgres'], `CREATE DATABASE ${databaseName}\n`);
  renameSync(host.scratch, host.data);
  return 'made';
}

async function run(host: PostgresHost, program: string, programArgs: readonly string[], input?: string): Promise<void> {
  const { command, args } = host.wrap(join(host.native, 'bin', program), programArgs);
  const { code, output } = await runCommand(command, args, {
    timeoutMs: 60_000,
    cwd: '/',
    env: postgresEnv(),
    ...(host.uid === undefined ? {} : { uid: host.uid }),
    ...(input === undefined ? {} : { input }),
  });
  // The single-user mode reports a failed statement, yet exits with 0.
  if (code === 0 && !/^(.*\b)?(ERROR|FATAL|PANIC):/m.test(output)) return;
  const hint = /could not look up effective user/.test(output)
    ? '\nPostgres needs a user with a name: run as one that /etc/passwd has, or set DATABASE_URL to a Postgres that runs elsewhere.'
    : '';
  throw new EmbeddedError(embeddedCodes.serviceFailed, `${program} failed (exit code ${code}):\n${output}${hint}`, {
    service: 'postgres',
  });
}

/** Without PG* variables of the user's shell, which change what the programs do. */
export function postgresEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

function refuseOtherVersion(data: string): void {
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (found === majorVersion) return;
  throw new EmbeddedError(
    embeddedCodes.serviceFailed,
    `${data} was made by Postgres ${found}, the embedded one is ${majorVersion}. ` +
      'Move the data over with pg_dump, or remove that folder to start with an empty history.',
    { service: 'postgres', found, expected: majorVersion },
  );
}
