/** The identity of a run that every call of a script needs. */
export interface RunRef {
  readonly runId: string;
  readonly epoch: number;
}
