import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from './errors';
import type { Env } from './home';
import { onPath } from './on-path';
import { runCommand } from './run-command';

export interface WantedPackages {
  /** The package that is wanted: its dependencies come along, as far as this machine lacks them. */
  readonly main: string;
  /** What is tried before apt is asked for a list; may be empty. */
  readonly usual: readonly string[];
  /** Whether what is unpacked in this folder works here. */
  readonly works: (root: string) => Promise<boolean>;
}

export interface UnpackOptions {
  /** Made if missing. */
  readonly cache: string;
  readonly env: Env;
  readonly log: (line: string) => void;
}

const aptLimitMs = 120_000;

/**
 * Unpacks Debian's own packages below the cache, without root and without installing them; downloaded once. Returns their
 * folder; undefined where that is not possible (no apt, no network).
 */
export async function unpackPackages(wanted: WantedPackages, options: UnpackOptions): Promise<string | undefined> {
  const { cache, env, log } = options;
  const target = join(cache, `${wanted.main}-${process.arch}`);
  if (await wanted.works(target)) return target;
  if (!onPath('apt-get', env) || !onPath('dpkg', env)) return undefined;

  log(`no ${wanted.main} here: unpacking the system's package for it`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, `${wanted.main}-new-`));
  try {
    if (!(await unpackInto(work, wanted))) return undefined;
    await moveInto(target, join(work, 'root'), wanted);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return (await wanted.works(target)) ? target : undefined;
}

/** Another start may have put its own copy there a moment ago, and run it already: that one stays. */
async function moveInto(target: string, root: string, wanted: WantedPackages): Promise<void> {
  try {
    renameSync(root, target);
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    if (await wanted.works(target)) return;
    rmSync(target, { recursive: true, force: true });
    renameSync(root, target);
  }
}

/** With the machine's package lists, else (none, or stale) with private ones; the usual packages, else those apt names. */
async function unpackInto(work: string, wanted: WantedPackages): Promise<boolean> {
  const [lists, cache] = [join(work, 'lists'), join(work, 'cache')];
  for (const folder of [join(lists, 'partial'), join(cache, 'archives', 'partial')])
    mkdirSync(folder, { recursive: true });
  // As root, apt would keep its cache and a log of the simulation on the machine.
  const machine = [`-oDir::Cache=${cache}`, `-oDir::Log=${work}`];
  const own = [...machine, `-oDir::State::lists=${lists}`];
  for (const options of [machine, own]) {
    if (options === own && (await apt(work, [...own, 'update'])).code !== 0) return false;
    for (const list of [() => wanted.usual, () => missingPackages(work, options, wanted.main)]) {
      const packages = await list();
      if ((await downloadAndUnpack({ work, options, packages })) && (await wanted.works(join(work, 'root'))))
        return true;
    }
  }
  return false;
}

interface Download {
  readonly work: string;
  readonly options: readonly string[];
  readonly packages: readonly string[];
}

async function downloadAndUnpack({ work, options, packages }: Download): Promise<boolean> {
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
  return true;
}

/** A simulated install prints a line "Inst NAME ..." for everything this machine lacks. */
async function missingPackages(work: string, options: readonly string[], main: string): Promise<string[]> {
  const { output } = await apt(work, [...options, 'install', '--simulate', '--no-install-recommends', main]);
  return [...output.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
}

function apt(cwd: string, args: readonly string[]): ReturnType<typeof runCommand> {
  // As root, apt would download as its own user, who can't write here.
  return runCommand('apt-get', ['-qq', '-oAPT::Sandbox::User=root', ...args], { timeoutMs: aptLimitMs, cwd });
}
