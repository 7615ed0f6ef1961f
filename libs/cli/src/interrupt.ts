/** The reason of an abort by Ctrl-C. */
export class Interrupted extends Error {}

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  end(): void;
}

/** A signal that the first Ctrl-C aborts; the second one quits at once. */
export async function interruptible(): Promise<Interrupt> {
  const { onStopSignals } = await import('@lattice/embedded');
  const stopped = new AbortController();
  const end = onStopSignals({
    stop: () => stopped.abort(new Interrupted('interrupted')),
    kill: () => process.exit(130),
  });
  return { signal: stopped.signal, end };
}
