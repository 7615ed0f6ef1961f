import type { ResourceClass } from '@lattice/flow';
import type { GpuLease } from '../gpus/gpu-leases';
import { Collector, type Member } from './collector';

/** A place in a lane, for one job. */
export interface Seat {
  /** The job is of the lane's key and about to come. */
  claimed: boolean;
  /** The job has come to the batch, or never will. */
  settled: boolean;
}

/** Members come of one key; `alone`: nobody else may come. */
export interface Claim {
  readonly key: string;
  readonly alone: boolean;
}

/**
 * What a worker gives to one batch: the need of its class once, however many members come. It is open while it collects, and
 * given back when the last of its members is done with.
 */
export class Lane {
  private readonly seats = new Set<Seat>();
  private claimed: Claim | undefined;
  private collector: Collector | undefined;
  private hurried = false;

  constructor(
    readonly entry: ResourceClass,
    readonly gpus: GpuLease | undefined,
    private readonly onEmpty: () => void,
  ) {}

  /** Whether a further job may be taken for it. */
  get hasPlace(): boolean {
    return this.isOpen && this.claimed?.alone !== true && this.seats.size < this.size;
  }

  /** A job is being taken for it. */
  expect(): Seat {
    const seat: Seat = { claimed: false, settled: false };
    this.seats.add(seat);
    return seat;
  }

  /** The job of a seat turned out to be of this key; false when it has to go to another lane. */
  claim(seat: Seat, { key, alone }: Claim): boolean {
    if (!this.isOpen) return false;
    if (this.claimed === undefined && (!alone || this.seats.size === 1)) this.claimed = { key, alone };
    seat.claimed = this.isOf({ key, alone }) && (!alone || this.seats.size === 1);
    return seat.claimed;
  }

  /** True when members of this claim have come to it before. */
  isOf({ key, alone }: Claim): boolean {
    return this.claimed?.key === key && this.claimed.alone === alone;
  }

  /** A member takes its seat. The call is that of the first; it comes once, with all who came. */
  join(seat: Seat, member: Member, call: (members: readonly Member[], key: string) => void): void {
    const key = this.claimed?.key ?? '';
    // It was on its way for so long that the others went without it: it is done by itself.
    if (!this.isOpen) call([member], key);
    else {
      this.collector ??= new Collector({
        size: this.size,
        timeoutMs: this.claimed?.alone === true ? 0 : (this.entry.batch?.timeoutMs ?? 0),
        mayGo: () => ![...this.seats].some((one) => one.claimed && !one.settled),
        call: (members) => call(members, key),
      });
      this.collector.add(member);
      if (this.hurried) this.collector.hurry();
    }
    this.settle(seat);
  }

  /** A member that is called off before the call; false when it is too late for that. */
  callOff(member: Member): boolean {
    return this.collector?.remove(member) ?? false;
  }

  /** The job of a seat is done with, or came to nothing. */
  leave(seat: Seat): void {
    if (!this.seats.delete(seat)) return;
    this.settle(seat);
    if (this.seats.size === 0) this.onEmpty();
  }

  /** Calls the handler for those that have come. False when there is nobody, or it is called already. */
  flush(): boolean {
    return this.collector?.flush() ?? false;
  }

  /** No more jobs are taken for it: it waits for those that are on their way alone, and not for long. */
  hurry(): void {
    this.hurried = true;
    this.collector?.hurry();
  }

  /** How many have come and wait for the call, of which key; undefined when none does. */
  get pending(): { readonly key: string; readonly count: number } | undefined {
    const count = this.collector?.waiting ?? 0;
    return count === 0 ? undefined : { key: this.claimed?.key ?? '', count };
  }

  private get size(): number {
    return this.entry.batch?.size ?? 1;
  }

  private get isOpen(): boolean {
    return this.collector?.isClosed !== true;
  }

  /** Who does not wait goes once nobody is on the way. */
  private settle(seat: Seat): void {
    seat.settled = true;
    if (this.collector?.waits === false && [...this.seats].every((one) => one.settled)) this.collector.flush();
    else this.collector?.look();
  }
}
