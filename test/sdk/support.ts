import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const root = resolve(__dirname, '..', '..');
const run = promisify(execFile);

/** What the packed SDK is made of. */
const SOURCES = ['libs/sdk', 'libs/contracts', 'scripts/pack-sdk.mjs', 'package-lock.json'];
/** Holds the SDK as it was last installed, in a folder named by the hash of what it was made of. */
const KEPT = join(root, '.jest-cache', 'sdk');

/**
 * A folder elsewhere in which the packed SDK is installed as npm does it, without a network: what it needs comes from here. It is
 * packed and installed once for what it is made of, and copied from then on.
 */
export async function installSdk(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'lattice-sdk-'));
  const kept = join(KEPT, hashOf(SOURCES));
  if (!existsSync(kept)) {
    await install(folder);
    keep(folder, kept);
  } else cpSync(kept, folder, AS_IT_IS);
  return folder;
}

const AS_IT_IS = { recursive: true, verbatimSymlinks: true };

/** Two specs may do so at the same time: what is there is whole, and either will do. */
function keep(folder: string, kept: string): void {
  for (const name of existsSync(KEPT) ? readdirSync(KEPT) : [])
    if (!name.startsWith(basename(kept))) rmSync(join(KEPT, name), { recursive: true, force: true });
  const draft = `${kept}.${process.pid}`;
  cpSync(folder, draft, AS_IT_IS);
  try {
    renameSync(draft, kept);
  } catch {
    rmSync(draft, { recursive: true });
  }
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    const at = join(root, path);
    const files = statSync(at).isFile() ? [''] : readdirSync(at, { recursive: true, encoding: 'utf8' }).sort();
    for (const file of files) {
      if (file.includes('node_modules') || statSync(join(at, file)).isDirectory()) continue;
      hash.update(`${path}/${file}\0`).update(readFileSync(join(at, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function install(folder: string): Promise<void> {
  const { stdout } = await run(process.execPath, [join(root, 'scripts', 'pack-sdk.mjs'), folder], { cwd: root });
  const modules = join(root, 'node_modules');
  const platforms = readdirSync(join(modules, '@esbuild')).map((name) => `@esbuild/${name}`);
  const given = ['zod', 'ws', 'esbuild', ...platforms].map((name) => [name, `file:${join(modules, name)}`]);
  const dependencies = { '@lattice/sdk': `file:${stdout.trim()}`, ...Object.fromEntries(given) };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'elsewhere', private: true, type: 'module', dependencies }),
  );
  const flags = ['--offline', '--install-links', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, '--cache', join(folder, '.npm')], { cwd: folder });
  // What npm kept for itself is of no use to anybody.
  rmSync(join(folder, '.npm'), { recursive: true, force: true });
}

/** Runs Node on a new script of that folder; gives what it prints. */
export async function node(folder: string, name: string, source: string): Promise<string> {
  writeFileSync(join(folder, name), source);
  const { stdout } = await run(process.execPath, [name], { cwd: folder });
  return stdout.trim();
}

/** Turns a TypeScript file of the folder into JavaScript with the esbuild that came along with the SDK. */
export async function transpile(folder: string, from: string, to: string): Promise<void> {
  const program = join(folder, 'node_modules', 'esbuild', 'bin', 'esbuild');
  await run(process.execPath, [program, from, '--format=esm', '--target=node20', `--outfile=${to}`], { cwd: folder });
}

/** The same for a program of several files. */
export async function bundle(folder: string, from: string, to: string): Promise<void> {
  const program = join(folder, 'node_modules', 'esbuild', 'bin', 'esbuild');
  const flags = ['--bundle', '--packages=external', '--platform=node', '--format=esm', '--target=node20'];
  await run(process.execPath, [program, from, ...flags, `--outfile=${to}`], { cwd: folder });
}

/** Type-checks files of the folder (and the declarations of its packages); gives the errors as tsc prints them. */
export async function typeCheck(folder: string, files: string | string[], skipLibCheck = true): Promise<string> {
  const typeRoots = [join(root, 'node_modules', '@types')];
  const config = {
    compilerOptions: { ...COMPILER, skipLibCheck, typeRoots, types: skipLibCheck ? ['node'] : [] },
    files: [files].flat(),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder });
    return '';
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && error.stdout !== '') return String(error.stdout).trim();
    throw error;
  }
}

/** As strict as can be. */
const COMPILER = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  allowImportingTsExtensions: true,
};
