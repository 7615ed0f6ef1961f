import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Gpu } from '@lattice/contracts';
import { isAbsence } from './lock-folder';
import { FIELDS, parseNvidiaSmi, type FoundGpus } from './parse-nvidia-smi';

const run = promisify(execFile);
/** A driver in trouble may never answer. */
const LIMIT_MS = 5_000;
const NONE: FoundGpus = { gpus: [], driver: null };

/** The GPUs of this machine; none where there is no nvidia-smi. Rejects when there is one and it fails. */
export async function findGpus(): Promise<FoundGpus> {
  const ask = async (...args: string[]): Promise<string> =>
    (await run('nvidia-smi', args, { timeout: LIMIT_MS })).stdout;
  try {
    const query = await ask(`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits');
    return parseNvidiaSmi(query, await ask('-L'));
  } catch (error) {
    if (isAbsence(error)) return NONE;
    throw error;
  }
}

/** What stands after another look: GPUs that are missing, or all when the look failed, get no tasks until they are back. */
export function afterLook(known: readonly Gpu[], seen: readonly Gpu[] | Error): Gpu[] {
  if (seen instanceof Error)
    return known.map((gpu) => ({ ...gpu, healthy: false, fault: `nvidia-smi: ${seen.message}` }));
  const missing = known.filter(({ uuid }) => !seen.some((gpu) => gpu.uuid === uuid));
  return [
    ...seen,
    ...missing.map((gpu) => ({ ...gpu, healthy: false, fault: 'nvidia-smi does not list it any more' })),
  ];
}

/** Those of the GPUs that the worker is to use: `all`, `none`, or UUIDs and indexes. */
export function chosenGpus(gpus: readonly Gpu[], choice: readonly string[]): Gpu[] {
  if (choice.length === 0 || choice.includes('all')) return [...gpus];
  return gpus.filter(({ uuid, index, mig }) => choice.includes(uuid) || (!mig && choice.includes(String(index))));
}

/** Labels that a worker has for its GPUs. `gpu.model` is there when all are of one model. */
export function gpuLabels(gpus: readonly Gpu[], driver: string | null): Record<string, string | number | boolean> {
  const [first] = gpus;
  if (first === undefined) return { 'gpu.count': 0 };
  const alike = gpus.every(({ model }) => model === first.model);
  const gibibytes = Math.round(Math.min(...gpus.map(({ memory }) => memory)) / 2 ** 30);
  return {
    'gpu.count': gpus.length,
    ...(alike ? { 'gpu.model': first.model, 'gpu.name': first.name } : {}),
    'gpu.memory': gibibytes,
    'gpu.mig': gpus.some(({ mig }) => mig),
    ...(driver === null ? {} : { 'gpu.driver': driver }),
  };
}
