export { openDatabase } from './database';
export type { Database, DatabaseOptions, Row, Session } from './database';
export type { Statement } from './statements';
export { isConnectionLoss } from './refusals';
export { migrate, pendingMigrations, waitForMigrations } from './schema/migrate';
export { dumpSchema } from './schema/dump-schema';
export { insertRun, purgeIdempotencyKeys } from './runs/insert-run';
export type { InsertedRun, NewRun } from './runs/insert-run';
export { expireRuns } from './runs/expire-runs';
export type { Expiry } from './runs/expire-runs';
export { forkRun } from './runs/fork-run';
export type { NewFork } from './runs/fork-run';
export { getRun, getRunBrief } from './runs/get-run';
export type { FoundRun, TaskTimes } from './runs/get-run';
export { clearCached, findCached, purgeCached, storeCached } from './task-cache/task-cache';
export type { CachedResult } from './task-cache/task-cache';
export {
  beginAdmissions,
  endAdmissions,
  insertAdmissions,
  peekAdmissions,
  tidyAdmissions,
  waitingLimiters,
  waitingRuns,
} from './admissions/admission-queue';
export type { PeekedRun } from './admissions/admission-queue';
export {
  limiterStates,
  lockLimiters,
  replaceOlder,
  reserveAdmission,
  takeAdmissions,
  writeAdmissions,
} from './admissions/limiters';
export type { AdmissionVerdict, LimiterQuestion, LimiterState, WaitingRun } from './admissions/limiters';
export type { LimiterKind, NewAdmission, Obstacle, RunLimiters } from './admissions/admission';
export { getRunState, listActiveRuns, listQueuedRuns, raiseRunEpoch, reopenRun } from './runs/run-state';
export type { RunState } from './runs/run-state';
export { listRuns } from './runs/list-runs';
export type { RunFilter } from './runs/list-runs';
export type { StoredRun } from './runs/stored-run';
export { childResults, childSummary, controlChildren, hasActiveChildren, insertChildren } from './runs/children';
export { activeChildren, askCancel, orphanedRuns, takeUnsent } from './runs/stop-children';
export type { ActiveChild } from './runs/stop-children';
export { forgetRounds, missingChildren, reopenChildren, undoneChildren } from './runs/reopen-children';
export type { AnewTask, UndoneChild } from './runs/reopen-children';
export type { ChildResult, ChildSummary, NewChildren, Parent } from './runs/children';
export { sendSignal, takeSignal } from './runs/signals';
export type { Signal } from './runs/signals';
export { findStop, markStopping } from './runs/stopping';
export type { Stop, StopWish } from './runs/stopping';
export { taskResults } from './runs/task-results';
export type { TaskResult } from './runs/task-results';
export {
  awaitsItsTime,
  awaitsSending,
  claimOrders,
  claimOutbox,
  deleteSent,
  hastenSending,
  insertOutbox,
  insertTaskTimer,
  lastOrder,
  nextDue,
  tidyOutbox,
} from './outbox/outbox';
export type { OutboxRow, OutboxVerdict } from './outbox/outbox';
export { openHistorian } from './history/historian';
export type { Historian } from './history/historian';
export type { HistoryEntry } from './history/entry';
export type { HistoryFault, HistoryResult } from './history/write-history';
export { compareStreamIds, raiseLatticeEpoch, readWatermark } from './history/watermark';
export type { Watermark } from './history/watermark';
export { searchLogs } from './history/search-logs';
export { readAttempts } from './history/read-attempts';
export type { AttemptEvent } from './history/read-attempts';
export { lastEventId, readEvents, readLogs } from './history/read-events';
export { getWorkflow, listWorkflows, saveWorkflow } from './workflows/workflows';
export type { StoredWorkflow, VersionConditions } from './workflows/workflows';
export { deleteUnusedDocuments } from './workflows/delete-unused-documents';
export { getDocument } from './workflows/documents';
export {
  attemptArtifacts,
  completeArtifacts,
  doomedArtifacts,
  forgetArtifacts,
  getArtifact,
  insertArtifacts,
  judgeArtifacts,
  listArtifacts,
  wholeArtifact,
  isArtifactGranted,
} from './artifacts/artifacts';
export type { ArtifactKind, NewArtifact, StoredArtifact } from './artifacts/artifacts';
export { loadOutput, loadOutputs, storeOutput } from './outputs/outputs';
export type { OutputAddress } from './outputs/outputs';
export {
  deleteSecret,
  findSecrets,
  listSecrets,
  lockSecretsOfOtherKeys,
  putSecret,
  resealSecrets,
} from './secrets/secrets';
export type { SealedSecret, StoredSecret } from './secrets/secrets';
export { findKeyByHash, insertKey, listKeys, revokeKey, touchKey } from './keys/api-keys';
export type { ApiKey } from './keys/api-keys';
export {
  currentTime,
  deleteSchedule,
  getSchedule,
  getScheduleDocument,
  listSchedules,
  lockSchedule,
  moveSchedule,
  noteScheduleRun,
  putSchedule,
} from './schedules/schedules';
export {
  advanceSchedule,
  claimSchedule,
  findTickRun,
  nextSchedule,
  noteScheduleError,
} from './schedules/due-schedules';
export type { ScheduleProgress } from './schedules/due-schedules';
export type { ScheduleDefinition, StoredSchedule } from './schedules/stored-schedule';
