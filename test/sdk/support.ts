import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const root = resolve(__dirname, '..', '..');
const run = promisify(execFile);

/** A folder elsewhere in which the packed SDK is installed as npm does it, without a network: what it needs comes from here. */
export async function installSdk(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'lattice-sdk-'));
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
  return folder;
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
    await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder], {
      cwd: folder,
    });
    return '';
  } catch (error) {
    // Not `instanceof Error`: Jest's realm has another one.
    return String(typeof error === 'object' && error !== null && 'stdout' in error ? error.stdout : error).trim();
  }
}

/** As strict as can be. */
const COMPILER = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: false,
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  allowImportingTsExtensions: true,
};
