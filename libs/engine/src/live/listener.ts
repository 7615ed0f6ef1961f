import type { LatticeError, RunEvent } from '@lattice/contracts';

/** Someone who is told about one run. */
export interface LiveListener {
  deliver(event: RunEvent, size: number): void;
  /** Something may have been missed. */
  check(): void;
  /** The process stops. */
  stop(reason: LatticeError): void;
}

/** Registers a listener and resolves once the bus is open. The function given back takes it off; calling it twice is harmless. */
export type Attach = (runId: string, listener: LiveListener) => Promise<() => void>;
