import type { Need, ResourceClass } from '@lattice/flow';
import type { Ledger, NotReserved, Waiting } from '@lattice/queue';
import { Lane, type Claim, type Seat } from './batches/lane';
import { needsGpu } from './gpus/worker-gpus';
import type { GpuLease } from './gpus/gpu-leases';
import { FirstSeen } from './placement/first-seen';
import { Turns, type Lack } from './placement/turns';

/** What a worker has in all. CPU in cores, memory in bytes; `slots`: jobs at once. */
export interface Capacity {
  readonly cpu: number;
  readonly memory: number;
  readonly slots: number;
}

/** What was taken for one job, or for the jobs of one batch. */
export interface Reservation {
  readonly entry: ResourceClass;
  /** The GPUs that it has, those of its batch where it is for one; undefined when it needs none. */
  gpus: GpuLease | undefined;
  /** The batch that it is for; undefined for jobs that are done by themselves. A job that turns out to be of another key moves. */
  batch: { readonly lane: Lane; readonly seat: Seat } | undefined;
  /** What is being done on it now. */
  about: { readonly runId: string; readonly taskKey: string; readonly priority: number } | undefined;
}

export interface LedgerOptions {
  readonly capacity: Capacity;
  /** Looks into the queue of a class without taking anything. */
  readonly look: (className: string) => Promise<Waiting>;
  /** Milliseconds for which tasks of a class are left to workers that suit them better. */
  readonly reluctance: (entry: ResourceClass) => number;
  /** False when tasks of the class may not run here now. */
  readonly admits: (entry: ResourceClass) => boolean;
  /** False when GPUs surely do not suffice now; other workers of the host may have what this one calls free. */
  readonly mayHaveGpus: (need: Need) => boolean;
  readonly takeGpus: (need: Need) => Promise<GpuLease | undefined>;
  readonly giveBackGpus: (lease: GpuLease) => void;
  /** The class is to be looked at again after so many milliseconds. */
  readonly wakeIn: (className: string, ms: number) => void;
}

/** Sums of quarters are exact, other shares are not: what is left over may be this much too little. */
const TOLERANCE = 1e-9;

/** True when so much is there, GPUs apart. */
export function fits(need: Need, capacity: Capacity): boolean {
  return need.cpu <= capacity.cpu + TOLERANCE && need.memory <= capacity.memory && capacity.slots >= 1;
}

/** Keeps account of what is free. What a job, or a batch, took is given back exactly once. */
export class ResourceLedger implements Ledger<Reservation> {
  private readonly classes = new Map<string, { entry: ResourceClass; seen: FirstSeen }>();
  private readonly open = new Set<Reservation>();
  private readonly lanes = new Map<string, Set<Lane>>();
  private readonly turns: Turns;
  private cpu: number;
  private memory: number;
  private slots: number;
  private hurried = false;

  constructor(private readonly options: LedgerOptions) {
    ({ cpu: this.cpu, memory: this.memory, slots: this.slots } = options.capacity);
    this.turns = new Turns(options.look);
  }

  add(entry: ResourceClass): void {
    this.classes.set(entry.name, { entry, seen: new FirstSeen() });
  }

  remove(className: string): void {
    this.classes.delete(className);
    this.turns.done(className);
  }

  order(classNames: Iterable<string>): readonly string[] {
    return this.turns.order(classNames);
  }

  reserve(className: string): Reservation | NotReserved | Promise<Reservation | NotReserved> {
    const known = this.classes.get(className);
    if (known === undefined || !this.options.admits(known.entry)) {
      // Labels change: nothing is kept for a class that may not run here any more.
      this.turns.done(className);
      return 'nothing';
    }
    const { entry, seen } = known;
    const open = entry.batch === undefined ? undefined : this.openLane(entry);
    if (open !== undefined) return this.join(open);
    const lacks = this.lackOf(entry);
    if (lacks !== undefined) {
      // With one class alone there is nobody whose turn it could be.
      if (this.classes.size > 1) this.turns.noRoom(className, lacks);
      return 'full';
    }
    const wait = this.options.reluctance(entry);
    if (wait > 0 || needsGpu(entry.need)) return this.reserveLater(entry, seen, wait);
    this.turns.done(className);
    return this.keep(entry, undefined);
  }

  /** A job that was acknowledged brings the next one of its class, unless it is the turn of others. */
  mayGoOn({ entry, batch, about }: Reservation): boolean {
    const asking = { className: entry.name, usesGpus: needsGpu(entry.need) };
    if (batch !== undefined || !this.options.admits(entry) || this.turns.yields(asking, about?.priority)) return false;
    return (entry.prefer === undefined && entry.place === undefined) || this.options.reluctance(entry) === 0;
  }

  /** Giving back twice changes nothing. */
  giveBack(reservation: Reservation): void {
    if (!this.open.delete(reservation)) return;
    const { batch } = reservation;
    // What a batch took is given back once, with its last member.
    if (batch === undefined) this.free(reservation.entry, reservation.gpus);
    else batch.lane.leave(batch.seat);
  }

  /** Seats a job, whose key is known now, in a batch of that key; false when there is no room for one. */
  claim(reservation: Reservation, claim: Claim): boolean {
    const { entry, batch } = reservation;
    if (batch === undefined) return true;
    const lanes = [...(this.lanes.get(entry.name) ?? [])].filter((lane) => lane !== batch.lane && lane.hasPlace);
    const own = batch.lane.isOf(claim) ? undefined : lanes.find((lane) => lane.isOf(claim));
    const move = (lane: Lane): boolean => {
      const seat = lane.expect();
      if (!lane.claim(seat, claim)) {
        lane.leave(seat);
        return false;
      }
      batch.lane.leave(batch.seat);
      reservation.batch = { lane, seat };
      reservation.gpus = lane.gpus;
      return true;
    };
    // A batch of that key which is begun already is better than a new one.
    if (own !== undefined && move(own)) return true;
    if (batch.lane.claim(batch.seat, claim) || lanes.some(move)) return true;
    // GPUs take their time to be leased: such a job comes again instead.
    return !needsGpu(entry.need) && this.lackOf(entry) === undefined && move(this.newLane(entry, undefined));
  }

  /** While no jobs are taken, batches do not wait for more: not those that are, nor those that jobs on their way come to. */
  hurryBatches(on: boolean): void {
    this.hurried = on;
    if (on) for (const lane of this.batches) lane.hurry();
  }

  /** What is free now. */
  get left(): Capacity {
    return { cpu: this.cpu, memory: this.memory, slots: this.slots };
  }

  /** What no job has. `left` lacks for moments what is reserved for a look into a queue, too. */
  get unused(): Capacity {
    let { cpu, memory, slots } = this.total;
    const lanes = new Set<Lane>();
    for (const { entry, batch, about } of this.open) {
      if (about === undefined || (batch !== undefined && lanes.has(batch.lane))) continue;
      if (batch !== undefined) lanes.add(batch.lane);
      cpu -= entry.need.cpu;
      memory -= entry.need.memory;
      slots -= 1;
    }
    return { cpu, memory, slots };
  }

  get total(): Capacity {
    return this.options.capacity;
  }

  /** What is reserved now. */
  get reserved(): Iterable<Reservation> {
    return this.open;
  }

  /** The batches that are being collected or done. */
  get batches(): Lane[] {
    return [...this.lanes.values()].flatMap((lanes) => [...lanes]);
  }

  /** What there is too little of for a class, as far as is known without looking; undefined when there is enough. */
  private lackOf(entry: ResourceClass): Lack | undefined {
    const { need } = entry;
    const usesGpus = needsGpu(need);
    if (usesGpus && !this.options.mayHaveGpus(need)) return 'gpus';
    if (!fits(need, this.left)) return 'room';
    const other = this.classes.get(this.turns.keepFor({ className: entry.name, usesGpus }) ?? '')?.entry.need;
    if (other === undefined) return undefined;
    if (usesGpus && needsGpu(other)) return 'gpus';
    // Room is kept in what both of them need.
    const isLeft =
      this.slots >= 2 &&
      (need.cpu === 0 || other.cpu === 0 || this.cpu - need.cpu + TOLERANCE >= other.cpu) &&
      (need.memory === 0 || other.memory === 0 || this.memory - need.memory >= other.memory);
    return isLeft ? undefined : 'room';
  }

  /** For classes that have to look first: whether a job waits long enough, and then for GPUs. */
  private async reserveLater(entry: ResourceClass, seen: FirstSeen, wait: number): Promise<Reservation | NotReserved> {
    this.change(entry.need, -1);
    let gpus: GpuLease | undefined;
    let reservation: Reservation | undefined;
    try {
      const { ids, due } = await this.options.look(entry.name);
      if (ids.length === 0 && !due) {
        this.turns.done(entry.name);
        return 'nothing';
      }
      // Jobs that were put aside come to those that wait only when somebody takes: where they are alone, nobody would.
      const soon = wait === 0 || ids.length === 0 ? 0 : seen.untilRipe(ids, wait, performance.now());
      if (soon > 0) {
        this.options.wakeIn(entry.name, soon);
        return 'nothing';
      }
      if (needsGpu(entry.need)) {
        gpus = await this.options.takeGpus(entry.need);
        if (gpus === undefined) {
          this.turns.noRoom(entry.name, 'gpus');
          return 'full';
        }
      }
      this.turns.done(entry.name);
      reservation = this.keep(entry, gpus);
      return reservation;
    } finally {
      // What it keeps it has taken once more.
      this.change(entry.need, 1);
    }
  }

  private keep(entry: ResourceClass, gpus: GpuLease | undefined): Reservation {
    if (entry.batch !== undefined) return this.join(this.newLane(entry, gpus));
    this.change(entry.need, -1);
    const reservation: Reservation = { entry, gpus, batch: undefined, about: undefined };
    this.open.add(reservation);
    return reservation;
  }

  private newLane(entry: ResourceClass, gpus: GpuLease | undefined): Lane {
    this.change(entry.need, -1);
    const lanes = this.lanes.get(entry.name) ?? new Set();
    this.lanes.set(entry.name, lanes);
    const lane: Lane = new Lane(entry, gpus, () => {
      lanes.delete(lane);
      this.free(entry, gpus);
    });
    if (this.hurried) lane.hurry();
    lanes.add(lane);
    return lane;
  }

  private join(lane: Lane): Reservation {
    const batch = { lane, seat: lane.expect() };
    const reservation: Reservation = { entry: lane.entry, gpus: lane.gpus, batch, about: undefined };
    this.open.add(reservation);
    return reservation;
  }

  private openLane(entry: ResourceClass): Lane | undefined {
    for (const lane of this.lanes.get(entry.name) ?? []) if (lane.hasPlace) return lane;
    return undefined;
  }

  private free(entry: ResourceClass, gpus: GpuLease | undefined): void {
    this.change(entry.need, 1);
    if (gpus !== undefined) this.options.giveBackGpus(gpus);
  }

  private change(need: Need, sign: 1 | -1): void {
    this.cpu += sign * need.cpu;
    this.memory += sign * need.memory;
    this.slots += sign;
  }
}
