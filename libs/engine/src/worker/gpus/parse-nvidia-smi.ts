import type { Gpu } from '@lattice/contracts';

/**
 * The fields that nvidia-smi is asked for, in this order. State and use are asked for because a GPU that must be reset has all
 * else in order. The last one is unknown to drivers before version 450.
 */
export const FIELDS = [
  'index',
  'uuid',
  'name',
  'memory.total',
  'driver_version',
  'pstate',
  'utilization.gpu',
  'mig.mode.current',
] as const;

/** The GPUs of a machine and the version of their driver; null without GPUs. */
export interface FoundGpus {
  readonly gpus: readonly Gpu[];
  readonly driver: string | null;
  /** What nvidia-smi said besides, about GPUs that it can't list for instance; null when nothing. */
  readonly trouble: string | null;
}

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** How nvidia-smi says that a value is not there because the GPU does not answer. */
const BROKEN = /unknown error|gpu is lost|err!|requires reset/i;
/** Of values that healthy GPUs may have no answer for, only this. */
const LOST = /gpu is lost|requires reset/i;
/** Not there by nature, as with GPUs that share the memory of the machine, or not for this user. */
const UNTOLD = /^\[?(n\/a|not supported|not available|insufficient permissions|no permission)\]?$/i;
/** Of a line with a GPU. */
const GPU_LINE = /^\d+\s*,\s*GPU-/;

/** Whether the answer to the query has a GPU. */
export function hasGpus(query: string): boolean {
  return query.split('\n').some((line) => GPU_LINE.test(line));
}

/** The lines of an answer that are not about a GPU in the list, as one; null when there are none. */
export function troubleOf(query: string, stderr = ''): string | null {
  const lines = `${query}\n${stderr}`.split('\n').map((line) => line.trim());
  const others = lines.filter((line) => line !== '' && !GPU_LINE.test(line));
  return others.length === 0 ? null : [...new Set(others)].join('; ').slice(0, 500);
}

/**
 * Reads `--query-gpu` (csv,noheader,nounits, {@link FIELDS}) and `-L`. Of a GPU that is partitioned (MIG) its instances are
 * given, as GPUs of their own, and not the GPU.
 */
export function parseNvidiaSmi(query: string, list: string, stderr = ''): FoundGpus {
  const instances = parseInstances(list);
  const gpus: Gpu[] = [];
  let driver: string | null = null;
  for (const line of query.split('\n')) {
    if (!GPU_LINE.test(line)) continue;
    const fields = line.split(',').map((part) => part.trim());
    const version = fields[4] ?? '';
    if (/^[\d.]+$/.test(version)) driver ??= version;
    const whole = gpuOf(line.trim(), fields);
    if (fields[FIELDS.indexOf('mig.mode.current')] !== 'Enabled') gpus.push(whole);
    else
      for (const { uuid, profile, memory } of instances.get(whole.uuid) ?? [])
        gpus.push({ ...whole, uuid, memory, name: `${whole.name} MIG ${profile}`, mig: true });
  }
  return { gpus, driver, trouble: troubleOf(query, stderr) };
}

function gpuOf(line: string, fields: readonly string[]): Gpu {
  const [index = '', uuid = '', name = '', memory = ''] = fields;
  const known = /^\d+$/.test(memory);
  const sound = (known || UNTOLD.test(memory)) && !BROKEN.test(fields.slice(0, 5).join()) && !LOST.test(line);
  return {
    uuid,
    index: Number(index),
    name,
    model: modelOf(name),
    memory: known ? Number(memory) * MEBIBYTE : 0,
    mig: false,
    healthy: sound,
    fault: sound ? null : `nvidia-smi says: ${line}`,
  };
}

interface Instance {
  readonly uuid: string;
  readonly profile: string;
  /** Bytes, as the profile (`1g.5gb`) says. */
  readonly memory: number;
}

/** Instances of partitioned GPUs by the UUID of the GPU. */
function parseInstances(list: string): Map<string, Instance[]> {
  const found = new Map<string, Instance[]>();
  let parent = '';
  for (const line of list.split('\n')) {
    parent = /^GPU \d+:.*\(UUID: (GPU-[^)]+)\)/.exec(line)?.[1] ?? parent;
    const [, profile, uuid] = /^\s+MIG (\S+)\s+Device\s+\d+:\s+\(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (profile === undefined || uuid === undefined) continue;
    const memory = Number(/(\d+)gb/i.exec(profile)?.[1] ?? 0) * GIBIBYTE;
    found.set(parent, [...(found.get(parent) ?? []), { uuid, profile, memory }]);
  }
  return found;
}

/** `NVIDIA A100-SXM4-40GB` -> `a100`, `NVIDIA GeForce RTX 4090` -> `rtx-4090`, `Tesla T4` -> `t4`: for labels. */
export function modelOf(name: string): string {
  const words = name
    .toLowerCase()
    .replaceAll(/\b(nvidia|geforce|tesla|quadro|graphics)\b/g, ' ')
    .split(/[\s-]+/)
    .filter((word) => word !== '' && !/^(sxm\d?|pcie|nvl|\d+gb|hbm\d?e?)$/.test(word));
  const [first = 'gpu', second] = words;
  return second !== undefined && /^(rtx|gtx|titan)$/.test(first) ? words.join('-') : first;
}
