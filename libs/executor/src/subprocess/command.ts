import path from 'node:path';
import { OWNER_VARIABLE } from '../owner';
import type { CodeProgram, Execution, ExecutionLimits } from '../port';
import type { Workspace } from '../workspace';
import type { Tools } from './tools';

export const RUNNERS_FOLDER = path.join(__dirname, '..', '..', 'runners');

const MEBIBYTE = 1024 * 1024;

export interface Command {
  file: string;
  args: string[];
}

/** The command that runs a code task, wrapped in what applies the limits of the kernel. The wrappers replace themselves: one process. */
export async function commandOf(program: CodeProgram, limits: ExecutionLimits, tools: Tools): Promise<Command> {
  const words: string[] = [];
  const prlimit = await tools.prlimit();
  if (prlimit !== undefined) words.push(...prlimit, ...prlimitArgs(limits));
  // The guardian does the same and more, a moment later.
  if (await tools.setpriv()) words.push('setpriv', '--pdeathsig', 'KILL');
  if (program.code.language === 'python') {
    words.push(await tools.python(), path.join(RUNNERS_FOLDER, 'python.py'));
  } else {
    words.push(process.execPath, ...nodeFlags(program, limits), path.join(RUNNERS_FOLDER, 'javascript.cjs'));
  }
  const [file = '', ...args] = words;
  return { file, args };
}

export function nodeFlags(program: CodeProgram, limits: ExecutionLimits): string[] {
  const flags: string[] = [];
  if (limits.memoryBytes !== undefined) flags.push(`--max-old-space-size=${heapMebibytes(limits.memoryBytes)}`);
  // Only there is stripping of types offered, and it warns on every use.
  const stripping =
    program.code.language === 'typescript' && process.allowedNodeEnvironmentFlags.has('--disable-warning');
  if (stripping) flags.push('--disable-warning=ExperimentalWarning');
  return flags;
}

/** The environment of a task's process: what is given, and nothing of the worker's own but PATH. */
export function environmentOf(execution: Execution, workspace: Workspace, token: string, searchPath: string) {
  return {
    PATH: searchPath,
    HOME: workspace.home,
    TMPDIR: workspace.temp,
    LANG: 'C.UTF-8',
    PYTHONUTF8: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...execution.env,
    LATTICE_EXECUTION: execution.id,
    [OWNER_VARIABLE]: token,
    LATTICE_INPUT: workspace.input,
    LATTICE_OUTPUT: workspace.output,
    LATTICE_FAULT: workspace.fault,
    LATTICE_SOURCE: workspace.source ?? '',
  };
}

/** Leaves room for what a Node process needs beside its heap, so that V8, whose message is the better one, fails first. */
function heapMebibytes(memoryBytes: number): number {
  const all = memoryBytes / MEBIBYTE;
  return Math.max(16, Math.floor(Math.max(all / 2, all - 80)));
}

/**
 * Memory is not among them. A limit on address space below 768 MB stops Node from starting, and a limit on data counts what is
 * reserved but never touched: half a gigabyte for each thread of Node 24, the buffers of numeric libraries. The watchdog
 * counts what is used.
 */
function prlimitArgs(limits: ExecutionLimits): string[] {
  return limits.fileBytes === undefined ? [] : [`--fsize=${limits.fileBytes}`];
}
