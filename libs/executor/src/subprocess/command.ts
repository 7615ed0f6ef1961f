import path from 'node:path';
import { OWNER_VARIABLE } from '../owner';
import type { Execution } from '../port';
import type { Places } from '../workspace';
import type { Shape } from './launcher';

export const RUNNERS_FOLDER = path.join(__dirname, '..', '..', 'runners');
/** The files of that folder which a sandbox needs to run code. */
export const RUNNERS = ['javascript.cjs', 'json-output.cjs', 'empty.mjs', 'python.py', 'python_rest.py'];

const MEBIBYTE = 1024 * 1024;

/** The words that run the runner of a language, whose files are in the folder. */
export function runnerWords(shape: Shape, interpreter: string, folder: string): string[] {
  if (shape.language === 'python') return [interpreter, path.join(folder, 'python.py')];
  return [interpreter, ...nodeFlags(shape), path.join(folder, 'javascript.cjs')];
}

function nodeFlags({ memoryBytes }: Pick<Shape, 'memoryBytes'>): string[] {
  return memoryBytes === undefined ? [] : [`--max-old-space-size=${heapMebibytes(memoryBytes)}`];
}

/** What the environment of every interpreter begins with: nothing of the worker's own but PATH. */
export function baseEnvironment(places: Pick<Places, 'home' | 'temp'>, searchPath: string): Record<string, string> {
  return {
    PATH: searchPath,
    HOME: places.home,
    TMPDIR: places.temp,
    LANG: 'C.UTF-8',
    PYTHONUTF8: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** What a task's environment adds to that of its interpreter. */
export function taskEnvironment(execution: Execution, places: Places, token: string): Record<string, string> {
  return {
    ...execution.env,
    ...gpuEnvironment(execution.gpus),
    LATTICE_EXECUTION: execution.id,
    [OWNER_VARIABLE]: token,
    LATTICE_INPUT: places.input,
    LATTICE_OUTPUT: places.output,
    LATTICE_FILES: places.files,
    LATTICE_ARTIFACTS: places.artifacts,
    ...(execution.uses === 'code' ? { LATTICE_FAULT: places.fault, LATTICE_SOURCE: places.source } : {}),
  };
}

/** A task sees the GPUs that it was given, and no others. */
function gpuEnvironment(gpus: Execution['gpus']): Record<string, string> {
  if (gpus === undefined) return {};
  const uuids = gpus.uuids.join(',');
  const token: Record<string, string> = gpus.token === 0 ? {} : { LATTICE_GPU_LEASE: String(gpus.token) };
  return { CUDA_VISIBLE_DEVICES: uuids, NVIDIA_VISIBLE_DEVICES: uuids === '' ? 'none' : uuids, ...token };
}

/** Leaves room for what a Node process needs beside its heap, so that V8, whose message is the better one, fails first. */
function heapMebibytes(memoryBytes: number): number {
  const all = memoryBytes / MEBIBYTE;
  return Math.max(16, Math.floor(Math.max(all / 2, all - 80)));
}

/**
 * Memory is not among the limits of the kernel. A limit on address space below 768 MB stops Node from starting, and a limit on
 * data counts what is reserved but never touched: half a gigabyte for each thread of Node 24, the buffers of numeric
 * libraries. The watchdog counts what is used.
 */
export function prlimitArgs(shape: Shape): string[] {
  return shape.fileBytes === undefined ? [] : [`--fsize=${shape.fileBytes}`];
}
