import { fault, type Fault } from '@lattice/contracts';

/** So many faults are told; more help nobody, and a hostile file may have millions. */
const MOST = 1_000;

/** Collects faults up to a bound, and says how many there were beyond it. */
export class FaultList {
  private readonly kept: Fault[] = [];
  private left = 0;

  add(...faults: readonly Fault[]): void {
    for (const one of faults) {
      if (this.kept.length < MOST) this.kept.push(one);
      else this.left += 1;
    }
  }

  get isEmpty(): boolean {
    return this.kept.length === 0;
  }

  toArray(): Fault[] {
    return this.left === 0 ? this.kept : [...this.kept, fault('bad_value', '', `and ${this.left} faults more`)];
  }
}
