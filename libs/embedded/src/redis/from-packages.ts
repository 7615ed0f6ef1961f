import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../home';
import { runCommand } from '../run-command';
import { onPath, runs, type RedisProgram } from './find';

/** What Debian 12 and its Ubuntu cousins need beyond their base system; anything else is asked of apt. */
const usualPackages = ['redis-server', 'redis-tools', 'libjemalloc2', 'libatomic1', 'liblzf1'];

const aptLimitMs = 120_000;

/**
 * Unpacks Debian's own Redis below `cache`, without root and without installing it: 1.5 MB, downloaded once.
 * Undefined where that is not possible (no apt, no network).
 */
export async function redisFromPackages(
  cache: string,
  env: Env,
  log: (line: string) => void,
): Promise<RedisProgram | undefined> {
  const target = join(cache, `redis-${process.arch}`);
  const cached = programIn(target);
  if (cached && (await runs(cached))) return cached;
  if (!onPath('apt-get', env) || !onPath('dpkg', env)) return undefined;

  log("no redis-server here: unpacking the system's package for it");
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'redis-new-'));
  try {
    const found = await unpack(work);
    if (!found) return undefined;
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, 'root'), target);
  } catch {
    // Another start may have put its own copy there first: what counts is what lies there now.
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const program = programIn(target);
  return program && (await runs(program)) ? program : undefined;
}

/** With the machine's package lists, else (none, or stale) with private ones; the usual packages, else those apt names. */
async function unpack(work: string): Promise<boolean> {
  const lists = join(work, 'lists');
  const privately = [`-oDir::State::lists=${lists}`, `-oDir::Cache=${join(work, 'cache')}`];
  for (const options of [[], privately]) {
    if (options.length > 0) {
      mkdirSync(join(lists, 'partial'), { recursive: true });
      mkdirSync(join(work, 'cache', 'archives', 'partial'), { recursive: true });
      if ((await apt(work, [...options, 'update'])).code !== 0) return false;
    }
    if (await unpackPackages(work, options, usualPackages)) return true;
    if (await unpackPackages(work, options, await missingPackages(work, options))) return true;
  }
  return false;
}

async function unpackPackages(work: string, options: readonly string[], packages: readonly string[]): Promise<boolean> {
  const debs = join(work, 'debs');
  const root = join(work, 'root');
  for (const folder of [debs, root]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  if (packages.length === 0 || (await apt(debs, [...options, 'download', ...packages])).code !== 0) return false;
  for (const deb of readdirSync(debs)) {
    const { code } = await runCommand('dpkg', ['-x', join(debs, deb), root], { timeoutMs: 30_000 });
    if (code !== 0) return false;
  }
  const program = programIn(root);
  return program !== undefined && (await runs(program));
}

/** A simulated install prints a line "Inst NAME ..." for everything this machine lacks. */
async function missingPackages(work: string, options: readonly string[]): Promise<string[]> {
  const { output } = await apt(work, [...options, 'install', '--simulate', '--no-install-recommends', 'redis-server']);
  return [...output.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
}

function apt(cwd: string, args: readonly string[]): ReturnType<typeof runCommand> {
  // As root, apt would download as its own user, who can't write here.
  return runCommand('apt-get', ['-qq', '-oAPT::Sandbox::User=root', ...args], { timeoutMs: aptLimitMs, cwd });
}

function programIn(root: string): RedisProgram | undefined {
  const command = join(root, 'usr', 'bin', 'redis-server');
  if (!existsSync(command)) return undefined;
  const folders = [join(root, 'usr', 'lib'), join(root, 'lib')].filter((folder) => existsSync(folder));
  const libraries = folders.flatMap((folder) => [folder, ...tripletFolders(folder)]);
  return { command, libraryPath: libraries.join(':') };
}

/** usr/lib/x86_64-linux-gnu and its like. */
function tripletFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'))
    .map((entry) => join(folder, entry.name));
}
