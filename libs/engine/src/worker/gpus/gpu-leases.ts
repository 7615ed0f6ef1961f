import type { Gpu } from '@lattice/contracts';
import type { Need } from '@lattice/flow';
import { z } from 'zod';
import { pickGpus, type Device } from './allocate';
import type { Lock, LockFolder } from './lock-folder';

/** What a worker has of the GPUs of its host for one reservation. */
export interface GpuLease {
  /** Fencing token: rises with every lease on this host, over restarts too. */
  readonly token: number;
  readonly devices: readonly Device[];
  /** Descriptors that hold the lease: whoever inherits them holds it too. */
  readonly fds: readonly number[];
}

const leaseSchema = z.object({
  token: z.number(),
  workerId: z.string(),
  /** Which process took it, for {@link GpuLeasesOptions.stillThere}. */
  owner: z.string(),
  devices: z.array(z.object({ uuid: z.string(), share: z.number(), memory: z.number() })),
});
type StoredLease = z.infer<typeof leaseSchema>;

export interface GpuLeasesOptions {
  readonly folder: LockFolder;
  readonly workerId: string;
  readonly owner: string;
  /**
   * Whether the process lives, or anything that it started still runs: containers, and processes that do not hold the lock
   * themselves. Ends what a dead one left where it can.
   */
  readonly stillThere: (owner: string) => Promise<boolean>;
}

/** So many leases a millisecond would have to be given for the clock to fall behind the count. */
const LEASES_PER_MS = 1_000;
const HOST = 'host.lock';
const LEASE = /^lease-(\d+)$/;

/**
 * Leases on the GPUs of a host, in files that all workers of the host share. A lease holds while its file is locked, which the
 * processes of its task keep up after the worker is dead, and while anything of the dead worker runs.
 */
export class GpuLeases {
  private readonly own = new Map<GpuLease, Lock>();
  /** What still goes on with a lease, in this process. */
  private readonly users = new WeakMap<GpuLease, Set<Promise<unknown>>>();
  /** Given back, but somebody still held the lock. */
  private readonly retired = new Set<string>();
  private last = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: GpuLeasesOptions) {}

  /** Leases of this process. */
  get held(): readonly GpuLease[] {
    return [...this.own.keys()];
  }

  /** Takes a lease; undefined when the GPUs don't suffice now. */
  take(need: Pick<Need, 'gpu' | 'gpuMemory'>, gpus: readonly Gpu[]): Promise<GpuLease | undefined> {
    const taken = this.turn.then(() => this.takeNow(need, gpus));
    this.turn = taken.catch(() => undefined);
    return taken;
  }

  /** The lease stands until that has ended, given back or not. */
  holdUntil(lease: GpuLease, ended: Promise<unknown>): void {
    const users = this.users.get(lease) ?? new Set();
    this.users.set(lease, users.add(ended));
    const over = (): void => void users.delete(ended);
    ended.then(over, over);
  }

  /**
   * Ends a lease, once nothing of this process goes on with it; a second time changes nothing. What still holds the lock, whoever
   * it is, goes on holding the GPUs.
   */
  async giveBack(lease: GpuLease): Promise<void> {
    // Without a turn of the event loop where nothing goes on: whoever waits for the GPUs looks right after.
    const users = this.users.get(lease);
    while (users !== undefined && users.size > 0) await Promise.allSettled(users);
    const lock = this.own.get(lease);
    if (!this.own.delete(lease) || lock === undefined) return;
    this.retired.add(lock.name);
    await lock.close();
    await this.removeRetired();
  }

  private async takeNow(need: Pick<Need, 'gpu' | 'gpuMemory'>, gpus: readonly Gpu[]): Promise<GpuLease | undefined> {
    let taken: GpuLease | undefined;
    const { folder, workerId, owner } = this.options;
    await folder.exclusively(HOST, async (text) => {
      const devices = pickGpus(
        need,
        gpus,
        (await this.standing()).flatMap((lease) => lease.devices),
      );
      if (devices === undefined) return text;
      // The clock takes over where the file was lost: a token never comes twice.
      const token = Math.max(Number(text) + 1 || 0, this.last + 1, Date.now() * LEASES_PER_MS);
      this.last = token;
      const stored: StoredLease = { token, workerId, owner, devices };
      const lock = await folder.create(`lease-${token}`, JSON.stringify(stored));
      taken = { token, devices, fds: lock.fd === undefined ? [] : [lock.fd] };
      this.own.set(taken, lock);
      return String(token);
    });
    return taken;
  }

  private async removeRetired(): Promise<void> {
    const { folder } = this.options;
    for (const name of this.retired) {
      if (await folder.isHeld(name)) continue;
      await folder.remove(name);
      this.retired.delete(name);
    }
  }

  /** The leases that hold, of all workers of the host. Those of the dead are removed once nothing of theirs runs. */
  private async standing(): Promise<Pick<StoredLease, 'devices'>[]> {
    const { folder, stillThere } = this.options;
    await this.removeRetired();
    const mine = new Set([...this.own.values()].map(({ name }) => name));
    const standing: Pick<StoredLease, 'devices'>[] = [...this.own.keys()].map(({ devices }) => ({
      devices: [...devices],
    }));
    for (const name of await folder.names()) {
      if (mine.has(name) || !LEASE.test(name)) continue;
      const lease = readLease(await folder.read(name));
      // Without a text its maker died before it was given out.
      if (lease !== undefined && ((await folder.isHeld(name)) || (await stillThere(lease.owner)))) standing.push(lease);
      else await folder.remove(name);
    }
    return standing;
  }
}

function readLease(text: string | undefined): StoredLease | undefined {
  try {
    return leaseSchema.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
