import { readdirSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { fits } from './glob';

export interface DiscoverOptions {
  /** Levels of folders that are looked into: 1 is the folder itself only. */
  readonly depth: number;
  /** With any, only scripts that fit one of them. */
  readonly filter: readonly string[];
  /** Scripts that fit one of them are left out. */
  readonly skip: readonly string[];
  /** Files that are run by a program, so that they need not be executable. */
  readonly interpreted: (path: string) => boolean;
}

export interface Discovered {
  /** Relative to the folder, with `/`, in the order of names. */
  readonly scripts: readonly string[];
  /** Files that look like scripts and are not run, with the reason. */
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[];
}

/** Folders that hold libraries or caches, never scripts to be run. */
const NO_SCRIPTS = new Set(['node_modules', '__pycache__', 'venv', 'dist', 'build']);
/** What is left behind by editors and package managers. */
const LEFTOVERS = /(~|\.bak|\.orig|\.rej|\.swp|\.tmp|\.dpkg-\w+|\.rpm(?:save|new|orig))$/;
const EXECUTABLE = 0o111;

/** Finds the executable files of a folder. Hidden ones, leftovers of editors and folders of libraries are passed over in silence. */
export function discover(folder: string, options: DiscoverOptions): Discovered {
  const scripts: string[] = [];
  const passedOver: { path: string; reason: string }[] = [];
  const visit = (path: string, level: number): void => {
    for (const entry of entriesOf(join(folder, path))) {
      const own = path === '' ? entry.name : `${path}/${entry.name}`;
      // A link to a folder may lead back to where we are: only links to files are followed.
      if (entry.isDirectory()) {
        if (level < options.depth && !NO_SCRIPTS.has(entry.name)) visit(own, level + 1);
        continue;
      }
      const reason = reasonAgainst(folder, own, options);
      if (reason === undefined) scripts.push(own);
      else if (reason !== '') passedOver.push({ path: own, reason });
    }
  };
  visit('', 1);
  return { scripts, passedOver };
}

function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && !LEFTOVERS.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Why a file is not run; '' when nobody would take it for a script. */
function reasonAgainst(folder: string, path: string, options: DiscoverOptions): string | undefined {
  const found = statSync(join(folder, path), { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return '';
  const executable = (found.mode & EXECUTABLE) !== 0 || options.interpreted(path);
  if (!executable) return looksLikeScript(path) ? 'not executable (chmod +x)' : '';
  const skipped = options.skip.find((pattern) => fits(pattern, path));
  if (skipped !== undefined) return `skipped by ${skipped}`;
  const chosen = options.filter.length === 0 || options.filter.some((pattern) => fits(pattern, path));
  return chosen ? undefined : 'not chosen by the filter';
}

function looksLikeScript(path: string): boolean {
  return /\.(sh|bash|zsh|py|js|mjs|cjs|ts|rb|pl|php|lua|r)$/i.test(path);
}
