export { openQueue, withLimit } from './connection';
export type { QueueConnection, QueueOptions } from './connection';
export { Bus } from './bus';
export type { Listener } from './bus';
export { ROOT_QUEUE, bullPriority, jobIdOf, keysOf, parseJobId, queueNameOf, rootIdOf } from './keys';
export type { Channel, Keys } from './keys';
export {
  MAX_LOST,
  MAX_UNREAD,
  begin,
  markQueued,
  record,
  recordAndBegin,
  recordRetry,
  recordsInOrder,
} from './attempt-scripts';
export type {
  BeginOptions,
  Begun,
  GateCount,
  QueuedTask,
  RecordOptions,
  Recorded,
  Retried,
  StoredResult,
} from './attempt-scripts';
export {
  createRun,
  type NewRunHash,
  deleteRun,
  finaliseRun,
  parkJob,
  pauseRun,
  resumeRun,
  settle,
  stopRun,
} from './run-scripts';
export type { CreateGuard, Created, LiveTask } from './run-scripts';
export { stopAll, stoppedAtOnce } from './stop-scripts';
export type { Stopped } from './stop-scripts';
export { markWaiting, stepTimes } from './step-scripts';
export type { StepTimes } from './step-scripts';
export type { RunRef } from './run-ref';
export { freezeRun, markMoved, readVersions, upgradeRun } from './version-scripts';
export { activeRuns } from './active-runs';
export {
  attemptsBefore,
  readEndings,
  readGates,
  readHead,
  readProgress,
  readResults,
  readUnqueued,
  runIds,
} from './run-hash';
export type { RunHead } from './run-hash';
export { Flows, isRootGone } from './flows';
export { RunSender, type PreparedRun } from './run-sender';
export type { FlowRun, JobData } from './flows';
export { ROOT_WORKER_OPTIONS, rootAgain } from './root-jobs';
export type { RootJob } from './root-jobs';
export { ClassQueue } from './class-queue';
export type { Taken, Waiting } from './class-queue';
export { retireClasses } from './retire-classes';
export { Absences } from './absences';
export { untilBeat } from './beat';
export { TakeLoop } from './take-loop';
export type { Disposal } from './disposal';
export type { Ledger, NotReserved } from './ledger';
export type { TakeLoopOptions } from './take-loop';
export { announceClasses, classNames, forgetClasses, readClasses } from './classes';
export { appendEvent, appendRunEvent, readStream, trimStream, unreadEvents } from './stream';
export type { StreamEntry } from './stream';
export {
  DEAF_MS,
  HEARTBEAT_MS,
  aliveWorkers,
  heartbeat,
  keepOrder,
  leave,
  listWorkers,
  orderWorker,
  serverTime,
} from './presence';
export type { Announcement, StoredOrder } from './presence';
export { confirmServer, forgetEpoch, initialise, lookAt, readEpoch, removeAll } from './instance';
export type { Instance } from './instance';
export { tellReady } from './tell-ready';
export { readServer, Trust } from './trust';
