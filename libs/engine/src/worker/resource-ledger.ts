import type { Need, ResourceClass } from '@lattice/flow';
import type { Ledger } from '@lattice/queue';

/** What a worker has in all. CPU in cores, memory in bytes, GPUs in devices; `slots`: jobs at once. */
export interface Capacity {
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly slots: number;
}

/** Sums of quarters are exact, other shares are not: what is left over may be this much too little. */
const TOLERANCE = 1e-9;

/** True when a worker of this capacity could ever run a job of the class. */
export function fits(need: Need, capacity: Capacity): boolean {
  return need.cpu <= capacity.cpu + TOLERANCE && need.memory <= capacity.memory && need.gpu <= capacity.gpu + TOLERANCE;
}

/** Keeps account of what is free. What a job took is given back exactly once, by the loop that reserved it. */
export class ResourceLedger implements Ledger {
  private readonly classes = new Map<string, Need>();
  private cpu: number;
  private memory: number;
  private gpu: number;
  private slots: number;

  constructor(private readonly capacity: Capacity) {
    ({ cpu: this.cpu, memory: this.memory, gpu: this.gpu, slots: this.slots } = capacity);
  }

  add(entry: ResourceClass): void {
    this.classes.set(entry.name, entry.need);
  }

  reserve(className: string): boolean {
    const need = this.classes.get(className);
    if (need === undefined || this.slots < 1) return false;
    if (!fits(need, { cpu: this.cpu, memory: this.memory, gpu: this.gpu, slots: this.slots })) return false;
    this.change(need, -1);
    return true;
  }

  giveBack(className: string): void {
    const need = this.classes.get(className);
    if (need !== undefined) this.change(need, 1);
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
