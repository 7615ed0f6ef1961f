import type { Need, ResourceClass } from '@lattice/flow';
import type { Ledger, NotReserved } from '@lattice/queue';

/** What a worker has in all. CPU in cores, memory in bytes, GPUs in devices; `slots`: jobs at once. */
export interface Capacity {
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly slots: number;
}

/** What was taken for one job. */
export interface Reservation {
  readonly entry: ResourceClass;
}

/** Sums of quarters are exact, other shares are not: what is left over may be this much too little. */
const TOLERANCE = 1e-9;

/** True when so much is there. */
export function fits(need: Need, capacity: Capacity): boolean {
  return need.cpu <= capacity.cpu + TOLERANCE && need.memory <= capacity.memory && need.gpu <= capacity.gpu + TOLERANCE;
}

/** Keeps account of what is free. What a job took is given back exactly once, by the loop that reserved it. */
export class ResourceLedger implements Ledger<Reservation> {
  private readonly classes = new Map<string, ResourceClass>();
  private readonly open = new Set<Reservation>();
  private cpu: number;
  private memory: number;
  private gpu: number;
  private slots: number;

  constructor(private readonly capacity: Capacity) {
    ({ cpu: this.cpu, memory: this.memory, gpu: this.gpu, slots: this.slots } = capacity);
  }

  add(entry: ResourceClass): void {
    this.classes.set(entry.name, entry);
  }

  order(classNames: Iterable<string>): readonly string[] {
    return [...classNames];
  }

  reserve(className: string): Reservation | NotReserved {
    const entry = this.classes.get(className);
    if (entry === undefined || this.slots < 1) return 'full';
    if (!fits(entry.need, { cpu: this.cpu, memory: this.memory, gpu: this.gpu, slots: this.slots })) return 'full';
    const reservation: Reservation = { entry };
    this.open.add(reservation);
    this.change(entry.need, -1);
    return reservation;
  }

  mayGoOn(): boolean {
    return true;
  }

  /** Giving back twice changes nothing. */
  giveBack(reservation: Reservation): void {
    if (this.open.delete(reservation)) this.change(reservation.entry.need, 1);
  }

  /** What is free now. */
  get free(): Capacity {
    return { cpu: this.cpu, memory: this.memory, gpu: this.gpu, slots: this.slots };
  }

  get total(): Capacity {
    return this.capacity;
  }

  private change(need: Need, sign: 1 | -1): void {
    this.cpu += sign * need.cpu;
    this.memory += sign * need.memory;
    this.gpu += sign * need.gpu;
    this.slots += sign;
  }
}
