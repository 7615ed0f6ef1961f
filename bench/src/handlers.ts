/** What the tasks of the benchmarks do: nothing. A worker loads this module by LATTICE_HANDLERS. */
export const handlers = {
  noop: (): null => null,
};
