import { readFileSync } from 'node:fs';
import { freemem, hostname, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Announcement, StoredOrder } from '@lattice/queue';
import { z } from 'zod';
import type { Capacity } from './resource-ledger';

/** What a worker tells of itself beside what is the same for every worker of this process. */
export interface Facts extends Pick<
  Announcement,
  | 'workerId'
  | 'life'
  | 'state'
  | 'labels'
  | 'handlers'
  | 'scripts'
  | 'outside'
  | 'gpus'
  | 'batches'
  | 'running'
  | 'startedAt'
  | 'provedAgo'
> {
  readonly total: Capacity & { readonly gpu: number };
  readonly free: Capacity & { readonly gpu: number };
  /** Of the GPUs; null without any. */
  readonly driver: string | null;
}

const LATTICE_VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'))).version;

/** What goes into a heartbeat. */
export function announcementOf({ total, free, driver, ...facts }: Facts): Announcement {
  return {
    ...facts,
    host: hostname(),
    pid: process.pid,
    resources: {
      cpu: total.cpu,
      memory: total.memory,
      gpu: total.gpu,
      gpuMemory: Math.max(0, ...facts.gpus.map(({ memory }) => memory)),
    },
    free: { cpu: exact(free.cpu), memory: free.memory, gpu: exact(free.gpu), slots: free.slots },
    versions: { lattice: LATTICE_VERSION, node: process.versions.node, driver },
    load: { cpu: Math.round((loadavg()[0] ?? 0) * 100) / 100, memoryFree: freemem() },
    provedAgo: Math.round(facts.provedAgo),
  };
}

/** The state of a worker that lives, by the order that stands for it. Drained is who was told to drain and has no job left. */
export function stateUnder(
  order: StoredOrder['order'] | undefined,
  { running, otherwise }: { running: number; otherwise: Announcement['state'] },
): Announcement['state'] {
  switch (order) {
    case 'drain':
      return running === 0 ? 'drained' : 'draining';
    case 'cordon':
      return 'cordoned';
    case 'uncordon':
    case undefined:
      return otherwise;
  }
}

/** Without the traces that sums of fractions leave. */
function exact(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
