export { openQueue, withLimit } from './connection';
export type { QueueConnection, QueueOptions } from './connection';
export { Bus } from './bus';
export type { Listener } from './bus';
export { ROOT_QUEUE, bullPriority, jobIdOf, keysOf, parseJobId, rootIdOf } from './keys';
export type { Channel, Keys } from './keys';
export {
  MAX_LOST,
  MAX_UNREAD,
  begin,
  createRun,
  deleteRun,
  finaliseRun,
  markQueued,
  parkJob,
  pauseRun,
  record,
  recordRetry,
  resumeRun,
  settle,
  stopRun,
} from './scripts';
export type { Begun, GateCount, LiveTask, Recorded, RunRef, StoredResult } from './scripts';
export { readGates, readHead, readProgress, readResults, runIds } from './run-hash';
export type { RunHead } from './run-hash';
export { Flows } from './flows';
export type { FlowRun, JobData } from './flows';
export { ROOT_WORKER_OPTIONS, rootAgain } from './root-jobs';
export type { RootJob } from './root-jobs';
export { ClassQueue } from './class-queue';
export type { Taken } from './class-queue';
export { TakeLoop } from './take-loop';
export type { Disposal, Ledger, TakeLoopOptions } from './take-loop';
export { announceClasses, forgetClasses, readClasses } from './classes';
export { appendEvent, lastStreamId, readStream, trimStream, unreadEvents } from './stream';
export type { StreamEntry } from './stream';
export { HEARTBEAT_MS, aliveWorkers, heartbeat, leave, listWorkers, serverTime } from './presence';
export type { Announcement } from './presence';
export { forgetEpoch, initialise, readEpoch } from './instance';
