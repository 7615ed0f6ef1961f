export { LatticeClient, type SubmitOptions, type ListRunsOptions, type WaitOptions } from './client';
export { ApiError, Unreachable } from './errors';
export type { EventsOptions } from './events';
export type { CallOptions, ClientOptions } from './request';
