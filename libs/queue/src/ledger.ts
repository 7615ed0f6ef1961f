/** Why nothing was reserved. full: it does not fit now. nothing: no job waits that this worker should take now. */
export type NotReserved = 'full' | 'nothing';

/** What a worker has free; each reservation is given back exactly once. */
export interface Ledger<Reservation extends object> {
  /** The order in which classes that may have jobs are tried. */
  order(classNames: Iterable<string>): readonly string[];
  /** Reserves what one job of the class takes. Answers at once where it can: most classes ask nobody. */
  reserve(className: string): Reservation | NotReserved | Promise<Reservation | NotReserved>;
  /** Whether the next job of the class may be taken on the same reservation. */
  mayGoOn(reservation: Reservation): boolean;
  giveBack(reservation: Reservation): void;
}
