import type { Execution } from '../port';

/**
 * The process that an interpreter will be: a shell that waits, in what was set up for the task (folder, limits, sandbox), for one
 * line on stdin; then it takes the task's environment from a file, and the interpreter takes its place. The mark that it leaves
 * where the task's error would be says that the task was begun.
 */
const HOLD = 'read -r go || exit 0; . "$0"; printf "{}" >"$LATTICE_FAULT"; exec "$@" </dev/null';
/** What `read` waits for. */
export const GO = '\n';

/** More than a start that is held takes with what is around it (measured 0.7 MB at level seccomp, 0.2 at subprocess), for what the kernel has of it. */
export const HELD_BYTES = 3 * 1024 * 1024;

/** Names that a shell can give on. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Names that mean something to some shell, which may refuse to set them. */
const OF_SHELLS =
  /^(_|BASH.*|SHELLOPTS|SHLVL|E?UID|PPID|OPTIND|LINENO|HIST.*|MAIL.*|GROUPS|DIRSTACK|FUNCNAME|RANDOM|SECONDS|PWD|OLDPWD)$/;

/** The words that wait, and are those given once they may go on. */
export function holdWords(startFile: string, words: readonly string[]): string[] {
  return ['/bin/sh', '-c', HOLD, startFile, ...words];
}

/** Whether a task can be run by an interpreter that is about to start: leased files can't be handed on to it any more. */
export function isHoldable(execution: Execution): boolean {
  if (execution.gpus !== undefined && execution.gpus.fds.length > 0) return false;
  return Object.keys(execution.env).every((name) => NAME.test(name) && !OF_SHELLS.test(name));
}

/** The environment as commands of a shell. */
export function startFileOf(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}
