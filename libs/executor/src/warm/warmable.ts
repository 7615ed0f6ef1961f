import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Language } from '@lattice/contracts';
import type { Execution } from '../port';
import type { Shape } from '../subprocess/launcher';
import type { Workspace } from '../workspace';

const MEBIBYTE = 1024 * 1024;
/** What an interpreter that waits takes, measured (Node 20, Python 3.11), with what is around it. */
const BYTES: Readonly<Record<Language, number>> = {
  javascript: 48 * MEBIBYTE,
  typescript: 48 * MEBIBYTE,
  python: 14 * MEBIBYTE,
};
/** Variables that are read when an interpreter, a library or the C library starts: later they would have no effect. */
const READ_AT_START =
  /^(NODE_|UV_|V8_|PYTHON|LD_|MALLOC_|GLIBC_|OPENSSL_|SSL_|LC_|LANG$|LANGUAGE$|TZ$|OMP_|MKL_|OPENBLAS_)/;

/** Nobody needs more ready at once than could start at once. */
export const MOST_OF_A_SHAPE = Math.max(2, availableParallelism() * 2);

/** Whether a task can be run by an interpreter that was started before its environment and its GPUs were known. That it is to see none is told in time. */
export function isWarmable({ gpus, env }: Execution): boolean {
  return (gpus?.uuids.length ?? 0) === 0 && !Object.keys(env).some((name) => READ_AT_START.test(name));
}

export function keyOf(shape: Shape): string {
  return JSON.stringify(shape);
}

/** About how many bytes of memory a waiting interpreter of this shape takes. */
export function bytesOf(key: string): number {
  const language = /"language":"(\w+)"/.exec(key)?.[1];
  return language === 'python' ? BYTES.python : BYTES.javascript;
}

/** What a waiting runner is told: one line. */
export function orderOf(env: Record<string, string>): string {
  return `${JSON.stringify({ env })}\n`;
}

/** Whether a runner that waited has taken its task: the first thing it does then is to write to the file for its error. */
export function wasBegun(workspace: Workspace): boolean {
  return (statSync(workspace.fault, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
