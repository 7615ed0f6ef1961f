import type { Logger, Settings } from '@lattice/config';
import type { Gpu, GpuHolder } from '@lattice/contracts';
import type { Executors } from '@lattice/executor';
import type { Need } from '@lattice/flow';
import { startLoop, type Loop } from '../../loop';
import type { Labels } from '../labels';
import { pickGpus, WHOLE } from './allocate';
import { afterLook, chosenGpus, createGpuFinder, gpuLabels } from './find-gpus';
import { GpuLeases, type GpuLease } from './gpu-leases';
import { openLockFolder } from './lock-folder';

/** What a task that holds a lease is, for those who ask who has the GPUs. */
export interface LeaseUser {
  readonly lease: GpuLease;
  readonly runId?: string;
  readonly taskKey?: string;
}

/** The GPUs of a worker: which there are, whether they are well, which are leased. */
export class WorkerGpus {
  private gpus: readonly Gpu[] = [];
  private looking: Loop | undefined;
  private readonly leases: GpuLeases;
  private failing = false;
  private readonly find = createGpuFinder();
  private trouble: string | null = null;
  driver: string | null = null;

  constructor(
    private readonly options: { settings: Settings; log: Logger; executors: Executors; changed: () => void },
  ) {
    const { settings, executors } = options;
    this.leases = new GpuLeases({
      folder: openLockFolder(settings.worker.gpuLocks),
      workerId: settings.worker.id,
      owner: executors.owner,
      stillThere: (owner) => executors.stillThere(owner),
    });
  }

  /** Finds the GPUs, and goes on to look after them. A driver that fails at the start is a worker without GPUs, for now. */
  async start(): Promise<void> {
    await this.look();
    if (this.options.settings.worker.gpus.includes('none')) return;
    const { log, settings } = this.options;
    const pause = settings.worker.gpuCheck;
    // Without GPUs at the start there is nothing to look after: no program is started again and again for nothing.
    if (this.gpus.length === 0 && !this.failing) {
      log.info('no GPUs: there is no nvidia-smi on PATH, or it lists none that this worker is to use');
      return;
    }
    let first = true;
    this.looking = startLoop({
      name: 'look at GPUs',
      log,
      turn: async () => {
        if (!first) await this.look();
        first = false;
        return pause;
      },
    });
  }

  async stop(): Promise<void> {
    await this.looking?.stop();
  }

  get all(): readonly Gpu[] {
    return this.gpus;
  }

  /** Whether the machine has GPUs, as far as is known or was said: those that a task was not given are then hidden from it. */
  get areThere(): boolean {
    return this.gpus.length > 0 || this.driver !== null || this.options.settings.worker.gpus.includes('none');
  }

  get labels(): Labels {
    return gpuLabels(this.gpus, this.driver);
  }

  /** True when GPUs of this worker would do, were they free. */
  couldServe(need: Need): boolean {
    return (
      !needsGpu(need) ||
      pickGpus(
        need,
        this.gpus.map((gpu) => ({ ...gpu, healthy: true })),
        [],
      ) !== undefined
    );
  }

  /** Whether GPUs suffice now, as far as this process knows by itself: that tells most of the time, without asking the host. */
  mayHave(need: Need): boolean {
    const own = this.leases.held.flatMap(({ devices }) => devices);
    return pickGpus(need, this.gpus, own) !== undefined;
  }

  /** Leases GPUs; undefined when they don't suffice now. */
  async take(need: Need): Promise<GpuLease | undefined> {
    return this.mayHave(need) ? this.leases.take(need, this.gpus) : undefined;
  }

  /** What a handler does on GPUs can't be ended: they are nobody else's before it has. */
  holdUntil(lease: GpuLease, ended: Promise<unknown>): void {
    this.leases.holdUntil(lease, ended);
  }

  giveBack(lease: GpuLease): void {
    this.leases.giveBack(lease).catch((error: unknown) => {
      this.options.log.error({ err: error }, 'a lease on GPUs could not be given back; it ends with this process');
    });
  }

  /** Who holds each GPU, as far as this worker knows. */
  holders(users: readonly LeaseUser[]): Map<string, GpuHolder[]> {
    const { id } = this.options.settings.worker;
    const found = new Map<string, GpuHolder[]>();
    for (const lease of this.leases.held) {
      const { runId, taskKey } = users.find((user) => user.lease === lease) ?? {};
      for (const { uuid, share, memory } of lease.devices) {
        const holder: GpuHolder = {
          lease: `${uuid}#${lease.token}`,
          workerId: id,
          share: share / WHOLE,
          memory,
          ...(runId === undefined ? {} : { runId }),
          ...(taskKey === undefined ? {} : { taskKey }),
        };
        found.set(uuid, [...(found.get(uuid) ?? []), holder]);
      }
    }
    return found;
  }

  /** GPUs that nobody of this process uses, and are well. */
  get free(): number {
    let free = 0;
    const devices = this.leases.held.flatMap((lease) => lease.devices);
    for (const { uuid, healthy } of this.gpus) {
      if (!healthy) continue;
      free += WHOLE - devices.filter((device) => device.uuid === uuid).reduce((sum, { share }) => sum + share, 0);
    }
    return free / WHOLE;
  }

  private async look(): Promise<void> {
    const { settings, log, changed } = this.options;
    if (settings.worker.gpus.includes('none')) return;
    const before = JSON.stringify(this.gpus);
    try {
      const found = await this.find();
      this.failing = false;
      this.driver = found.driver ?? this.driver;
      if (found.trouble !== null && found.trouble !== this.trouble)
        log.warn({ said: found.trouble }, 'nvidia-smi warns');
      this.trouble = found.trouble;
      this.gpus = afterLook(this.gpus, chosenGpus(found.gpus, settings.worker.gpus), found.trouble);
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      log.error({ err: fault }, 'nvidia-smi failed: the GPUs get no tasks until it answers');
      this.failing = true;
      this.gpus = afterLook(this.gpus, fault);
    }
    if (JSON.stringify(this.gpus) !== before) changed();
  }
}

/** True when a need is one of GPUs. */
export function needsGpu(need: Pick<Need, 'gpu' | 'gpuMemory'>): boolean {
  return need.gpu > 0 || need.gpuMemory > 0;
}
