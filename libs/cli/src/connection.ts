import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import type { Env, Terminal } from './terminal';

const DEFAULT_URL = 'http://127.0.0.1:3000';

/** Written by the launcher while it runs; `url` is null when it serves no API. */
const launcherSchema = z.object({ url: z.string().nullable() });

/** The options that every command has. */
export const globalOptionsSchema = z.object({
  url: z.string().optional(),
  apiKey: z.string().optional(),
  json: z.boolean().default(false),
});
export type GlobalOptions = z.infer<typeof globalOptionsSchema>;

export interface Found {
  value: string;
  /** Where it was found, for messages. */
  from: string;
}

export function connect(options: GlobalOptions, terminal: Terminal): LatticeClient {
  const url = findUrl(options.url, terminal.env, terminal.cwd).value;
  return new LatticeClient({ url, apiKey: findApiKey(options.apiKey, terminal.env, terminal.cwd)?.value });
}

/** The address of the API: flag, LATTICE_URL, what a launcher wrote down, else port 3000 of this machine. */
export function findUrl(flag: string | undefined, env: Env, cwd: string): Found {
  if (flag) return { value: flag, from: '--url' };
  if (env['LATTICE_URL']) return { value: env['LATTICE_URL'], from: 'LATTICE_URL' };
  for (const home of homes(env, cwd)) {
    const path = join(home, 'run', 'launcher.json');
    const url = urlOf(read(path));
    if (url) return { value: url, from: shortPath(path, cwd) };
  }
  return { value: DEFAULT_URL, from: 'the default' };
}

/** The key: flag, LATTICE_API_KEY, admin.key of LATTICE_HOME or of the nearest .lattice upward; undefined when there is none. */
export function findApiKey(flag: string | undefined, env: Env, cwd: string): Found | undefined {
  if (flag) return { value: flag, from: '--api-key' };
  if (env['LATTICE_API_KEY']) return { value: env['LATTICE_API_KEY'], from: 'LATTICE_API_KEY' };
  for (const home of homes(env, cwd)) {
    const path = join(home, 'admin.key');
    const key = read(path)?.trim();
    if (key) return { value: key, from: shortPath(path, cwd) };
  }
  return undefined;
}

/** Where state of this user is kept: LATTICE_HOME, the nearest .lattice folder upward, or one here that is still to be made. */
export function findHome(env: Env, cwd: string): string {
  const all = homes(env, cwd);
  return all.find((home) => existsSync(home)) ?? all[0] ?? join(cwd, '.lattice');
}

/** LATTICE_HOME, or the .lattice folders from here upward, nearest first. */
function homes(env: Env, cwd: string): string[] {
  if (env['LATTICE_HOME']) return [resolve(cwd, env['LATTICE_HOME'])];
  const found: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    found.push(join(folder, '.lattice'));
    if (dirname(folder) === folder) return found;
  }
}

function urlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return launcherSchema.parse(JSON.parse(text)).url ?? undefined;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Relative to where the user is when that is shorter. */
export function shortPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near !== '' && near.length < path.length ? near : path;
}
