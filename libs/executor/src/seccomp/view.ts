import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { LatticeError } from '@lattice/contracts';
import { z } from 'zod';
import { isReachable } from './reach';

const run = promisify(execFile);
const PROBE_MS = 10_000;

/** Programs and libraries of the system, and what they read to work at all. No homes, no /srv, /var, /opt, no configuration. */
const SYSTEM = [
  '/usr/bin',
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/libexec',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
];
const LOCAL = ['/usr/local/bin', '/usr/local/lib', '/usr/local/libexec'];
/** Links into /usr on today's systems, folders of their own on older ones. */
const ROOT_FOLDERS = ['/bin', '/lib', '/lib32', '/lib64'];

/** The read-only files of a sandbox, as arguments of bubblewrap. */
export function systemView(): string[] {
  const words = SYSTEM.flatMap((one) => (existsSync(one) ? ['--ro-bind', one, one] : []));
  for (const folder of ROOT_FOLDERS) {
    if (!existsSync(folder)) continue;
    const linked = lstatSync(folder).isSymbolicLink();
    words.push(...(linked ? ['--symlink', readlinkSync(folder), folder] : ['--ro-bind', folder, folder]));
  }
  return words;
}

/** Programs and libraries that were installed beside those of the system: scripts may want any of them. */
export function localView(): string[] {
  return LOCAL.flatMap((one) => (existsSync(one) ? ['--ro-bind', one, one] : []));
}

/** Whether a file is in {@link systemView} or {@link localView}. */
export function isInView(file: string): boolean {
  return [...SYSTEM, ...ROOT_FOLDERS, ...LOCAL].some((folder) => file === folder || file.startsWith(`${folder}/`));
}

export interface InterpreterView {
  /** The interpreter's path, outside and inside. */
  file: string;
  /** What it needs beyond the system's files, as arguments of bubblewrap. */
  binds: string[];
  /** Whether the runner was compiled for it. */
  compiled: boolean;
}

/** The runner of Python tasks, which that interpreter is to compile once, instead of at each start: 1.5 ms. */
export interface ToCompile {
  source: string;
  target: string;
  /** Where tasks see the source: what a traceback says. */
  seenAs: string;
}

/** Node with the libraries that it is linked to. */
export async function nodeView(candidates: readonly string[], mustReach: boolean): Promise<InterpreterView> {
  const file = firstUsable(candidates, mustReach, 'Node');
  return { file, binds: bindsOf([file, ...(await librariesOf(file))]), compiled: false };
}

const pythonSchema = z.object({ executable: z.string(), paths: z.array(z.string()), compiled: z.boolean() });
const ASK_PYTHON = `
import json, os, py_compile, sys, sysconfig
source, target, seen_as = sys.argv[1:]
try: compiled = py_compile.compile(source, target, seen_as, doraise=True) is not None
except (OSError, py_compile.PyCompileError): compiled = False
paths = [os.path.dirname(os.__file__), sysconfig.get_path("platstdlib"), *sys.path, os.path.join(sys.prefix, "pyvenv.cfg")]
print(json.dumps({"executable": sys.executable, "paths": paths, "compiled": compiled}))`;

/** Python with its standard library, its installed packages and the libraries that it is linked to. */
export async function pythonView(
  candidates: readonly string[],
  mustReach: boolean,
  { source, target, seenAs }: ToCompile,
): Promise<InterpreterView> {
  const chosen = firstUsable(candidates, mustReach, 'Python');
  // Neither the worker's settings of Python nor what its user has installed at home.
  const words = ['-I', '-c', ASK_PYTHON, source, target, seenAs];
  const { stdout } = await run(chosen, words, { timeout: PROBE_MS, env: {}, cwd: '/' });
  const { executable, paths, compiled } = pythonSchema.parse(JSON.parse(stdout));
  const files = [executable, ...paths, ...(await librariesOf(executable))];
  return { file: executable, binds: bindsOf(files), compiled };
}

function firstUsable(candidates: readonly string[], mustReach: boolean, name: string): string {
  const present = candidates.filter((one) => path.isAbsolute(one) && existsSync(one));
  const usable = present.find((one) => !mustReach || isReachable(realpathSync(one)));
  if (usable !== undefined) return usable;
  throw new LatticeError(
    'language_unavailable',
    present.length === 0
      ? `no ${name} for level seccomp on this worker (looked at ${candidates.join(', ')})`
      : `${name} at ${present.join(', ')} can't be read by the user of sandboxes, 65534: install it for all users, ` +
          `for instance in /usr or /opt, or run the worker as an ordinary user`,
  );
}

/** Only what the system's view does not have already, shorter paths first, so that what they contain is left out. */
function bindsOf(files: readonly string[]): string[] {
  const bound = [...SYSTEM, ...ROOT_FOLDERS];
  const words: string[] = [];
  const wanted = [...new Set(files.filter((one) => path.isAbsolute(one) && existsSync(one)))].sort(
    (a, b) => a.length - b.length,
  );
  for (const one of wanted) {
    if (bound.some((folder) => one === folder || one.startsWith(`${folder}/`))) continue;
    bound.push(one);
    words.push('--ro-bind', one, one);
  }
  return words;
}

/** Shared libraries by the word of the linker; none when it can't be asked (a static program, another C library). */
async function librariesOf(file: string): Promise<string[]> {
  try {
    const { stdout } = await run('ldd', [file], { timeout: PROBE_MS });
    return [...stdout.matchAll(/(\/\S+)/g)].map(([, library = '']) => library.replace(/:$/, ''));
  } catch {
    return [];
  }
}
