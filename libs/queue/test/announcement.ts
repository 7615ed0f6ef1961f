import type { Announcement } from '../src/presence';

/** What a worker tells of itself, where a test does not care. */
export function announcement(workerId: string, change: Partial<Announcement> = {}): Announcement {
  return {
    workerId,
    state: 'online',
    host: 'h',
    pid: 1,
    labels: {},
    handlers: [],
    scripts: false,
    outside: false,
    resources: { cpu: 4, memory: 1, gpu: 0, gpuMemory: 0 },
    free: { cpu: 4, memory: 1, gpu: 0, slots: 1 },
    gpus: [],
    batches: [],
    versions: { lattice: '0', node: '20', driver: null },
    load: { cpu: 0, memoryFree: 0 },
    running: 0,
    startedAt: '',
    provedAgo: 0,
    ...change,
  };
}
