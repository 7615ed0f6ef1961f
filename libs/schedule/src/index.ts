export { nextTick, nextTicks } from './cadence';
export { dueTicks } from './due';
export type { Due, DueOptions } from './due';
export { readTiming } from './read-timing';
export type { ReadTiming, Timing } from './read-timing';
