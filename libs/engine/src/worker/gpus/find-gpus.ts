import type { Gpu } from '@lattice/contracts';
import { createAsk, type Answer, type AskNvidiaSmi } from './ask-nvidia-smi';
import { FIELDS, hasGpus, parseNvidiaSmi, troubleOf, type FoundGpus } from './parse-nvidia-smi';

/** A driver in trouble may never answer. */
const LIMIT_MS = 5_000;
const NONE: FoundGpus = { gpus: [], driver: null, trouble: null };
const UNKNOWN_FIELD = /not a valid field/i;
const NO_DEVICES = /no devices were found/i;

/** The GPUs of this machine; none where there is no nvidia-smi, or it finds none. Rejects when there is one and it fails. */
export function createGpuFinder(options: { program?: string; limitMs?: number } = {}): () => Promise<FoundGpus> {
  const { program = 'nvidia-smi', limitMs = LIMIT_MS } = options;
  const ask = createAsk({ program, limitMs });
  return async () => {
    const query = await queryOf(ask);
    if (query === undefined) return NONE;
    const { code, stdout, stderr } = query;
    if (code !== 0 && !hasGpus(stdout)) {
      const said = troubleOf(stdout, stderr) ?? 'nothing';
      if (NO_DEVICES.test(said)) return NONE;
      throw new Error(`it ended with code ${code} and said: ${said}`);
    }
    const list = /\bEnabled\b/.test(stdout) ? await ask(['-L']) : undefined;
    return parseNvidiaSmi(stdout, list?.stdout ?? '', stderr);
  };
}

async function queryOf(ask: AskNvidiaSmi): Promise<Answer | undefined> {
  const query = (fields: readonly string[]) =>
    ask([`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']);
  const answer = await query(FIELDS);
  const old = answer !== undefined && answer.code !== 0 && UNKNOWN_FIELD.test(answer.stdout + answer.stderr);
  return old ? query(FIELDS.slice(0, -1)) : answer;
}

/**
 * What stands after another look: GPUs that are missing, or all when the look failed, get no tasks until they are back. `trouble` is what
 * nvidia-smi said besides.
 */
export function afterLook(known: readonly Gpu[], seen: readonly Gpu[] | Error, trouble: string | null = null): Gpu[] {
  if (seen instanceof Error)
    return known.map((gpu) => ({ ...gpu, healthy: false, fault: `nvidia-smi: ${seen.message}` }));
  const missing = known.filter(({ uuid }) => !seen.some((gpu) => gpu.uuid === uuid));
  const fault = `nvidia-smi does not list it any more${trouble === null ? '' : `, and says: ${trouble}`}`;
  return [...seen, ...missing.map((gpu) => ({ ...gpu, healthy: false, fault }))];
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
