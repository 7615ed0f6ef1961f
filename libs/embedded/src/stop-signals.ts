const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm passes on the SIGINT that the terminal has sent to the whole group already: one Ctrl-C arrives twice. */
const oneKeyPressMs = 500;

export interface StopHandlers {
  /** On the first signal. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** On the next one: the user has no patience left. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Listens for the signals that mean "end"; the returned function stops listening. */
export function onStopSignals({ stop, kill }: StopHandlers): () => void {
  let first: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now();
      stop(signal);
    } else if (performance.now() - first > oneKeyPressMs) kill(signal);
  };
  for (const name of names) process.on(name, listener);
  return () => {
    for (const name of names) process.off(name, listener);
  };
}
