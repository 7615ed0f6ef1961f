import type { Gpu } from '@lattice/contracts';

/** The fields that nvidia-smi is asked for, in this order. */
export const FIELDS = ['index', 'uuid', 'name', 'memory.total', 'driver_version', 'mig.mode.current'] as const;

/** The GPUs of a machine and the version of their driver; null without GPUs. */
export interface FoundGpus {
  readonly gpus: readonly Gpu[];
  readonly driver: string | null;
}

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** How nvidia-smi says that a value is not there because the GPU does not answer; `[N/A]` and `[Not Supported]` are no faults. */
const BROKEN = /unknown error|gpu is lost|err!|requires reset/i;

/**
 * Reads `--query-gpu` (csv,noheader,nounits, {@link FIELDS}) and `-L`. Of a GPU that is partitioned (MIG) its instances are
 * given, as GPUs of their own, and not the GPU.
 */
export function parseNvidiaSmi(query: string, list: string): FoundGpus {
  const instances = parseInstances(list);
  const gpus: Gpu[] = [];
  let driver: string | null = null;
  for (const line of query.split('\n')) {
    const [index = '', uuid = '', name = '', memory = '', version = '', mig = ''] = line
      .split(',')
      .map((part) => part.trim());
    if (!/^GPU-/.test(uuid)) continue;
    if (/^[\d.]+$/.test(version)) driver ??= version;
    const fault = BROKEN.test(line) || !/^\d+$/.test(memory) ? `nvidia-smi says: ${line.trim()}` : null;
    const whole: Gpu = {
      uuid,
      index: Number(index),
      name,
      model: modelOf(name),
      memory: /^\d+$/.test(memory) ? Number(memory) * MEBIBYTE : 0,
      mig: false,
      healthy: fault === null,
      fault,
    };
    if (mig !== 'Enabled') gpus.push(whole);
    else
      for (const instance of instances.get(uuid) ?? [])
        gpus.push({ ...whole, ...instance, name: `${name} MIG ${instance.profile}`, mig: true });
  }
  return {
    gpus: gpus.map(({ uuid, index, name, model, memory, mig, healthy, fault }) => ({
      uuid,
      index,
      name,
      model,
      memory,
      mig,
      healthy,
      fault,
    })),
    driver,
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
