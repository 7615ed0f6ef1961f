export { KEY_SCOPES, createKeySchema, createdKeySchema, keyListSchema, keyViewSchema } from './key';
export type { CreateKey, CreatedKey, KeyScope, KeyView } from './key';
export {
  EVENT_ARTIFACTS,
  artifactListSchema,
  artifactSchema,
  artifactViewSchema,
  filePathSchema,
  givenFilesSchema,
} from './artifact';
export type { Artifact, ArtifactList, ArtifactView, GivenFiles } from './artifact';
export {
  INPUT_TYPES,
  SANDBOX_LEVELS,
  isWeakerLevel,
  TRIGGER_RULES,
  LANGUAGES,
  PRIORITY_LIMIT,
  USES_PATTERN,
  ON_FAILURE,
  MAX_TASKS,
  prioritySchema,
  inputSchema,
  retrySchema,
  resourcesSchema,
  codeWithSchema,
  DEFAULT_CACHE_TTL,
  containerWithSchema,
  scriptWithSchema,
  httpWithSchema,
  taskSchema,
  documentSchema,
  documentJsonSchema,
} from './document';
export { tellWait } from './tell-wait';
export { scriptPathFault } from './script-path';
export { endOfJsonText, inexactNumber } from './exact-numbers';
export { variableNameSchema, variableTextSchema } from './environment';
export type {
  InputType,
  SandboxLevel,
  TriggerRule,
  Language,
  RetryPolicy,
  Resources,
  TaskDocument,
  ConcurrencyPolicy,
  OnFailure,
  WorkflowDocument,
} from './document';
export {
  CONTROL_KINDS,
  MAX_ITEMS,
  approvalSchema,
  loopWithSchema,
  mapWithSchema,
  signalNameSchema,
  switchWithSchema,
  waitWithSchema,
} from './control';
export type { ControlKind } from './control';
export { LABEL_OPERATORS, labelRuleSchema } from './label-rule';
export type { LabelRule } from './label-rule';
export { PLACES, batchRulesSchema, batchSchema } from './placement';
export type { Batch, BatchRules, Place } from './placement';
export { durationSchema, parseDuration } from './duration';
export { sizeSchema, parseSize } from './size';
export {
  RUN_STATUSES,
  TASK_STATUSES,
  FINAL_TASK_STATUSES,
  RUN_TRANSITIONS,
  TASK_TRANSITIONS,
  isFinalRun,
  isFinalTask,
  mayMoveRun,
  mayMoveTask,
} from './states';
export type { RunStatus, TaskStatus, FinalTaskStatus } from './states';
export {
  SECRET_BYTES,
  SECRET_CHARACTERS,
  putSecretSchema,
  rotatedSecretsSchema,
  secretListSchema,
  secretNameSchema,
  secretViewSchema,
} from './secret';
export type { RotatedSecrets, SecretView } from './secret';
export { CODES, isErrorCode } from './codes';
export type { ErrorCode } from './codes';
export { LatticeError, fault, taskError, pointerOf, faultSchema, taskErrorSchema, problemSchema } from './errors';
export type { Fault, TaskError, Problem } from './errors';
export { faultsOf } from './faults';
export { EVENTS, EVENT_TYPES, FINAL_EVENTS, eventSchema, isEventType, isFinalEvent } from './events';
export type { EventType, RunEvent } from './events';
export { CEL_WORDS, TASK_KEY_PATTERN, isTaskKey, taskKeySchema, runIdSchema, workflowNameSchema } from './ids';
export { pathStepSchema, runReportSummarySchema } from './run-report';
export type { PathStep, RunReportSummary } from './run-report';
export {
  submitRunSchema,
  submittedSchema,
  rerunTaskSchema,
  forkRunSchema,
  taskViewSchema,
  runSummarySchema,
  runViewSchema,
  runListSchema,
  savedWorkflowSchema,
  workflowListSchema,
  clearedSchema,
  validationSchema,
  logEntrySchema,
  runLogEntrySchema,
  runLogPageSchema,
  attemptReportSchema,
  runReportSchema,
} from './api';
export type {
  SubmitRun,
  ForkRun,
  TaskView,
  RunSummary,
  RunView,
  RunList,
  SavedWorkflow,
  LogEntry,
  RunLogEntry,
  AttemptReport,
  RunReport,
  InputDeclaration,
} from './api';
export {
  WORKER_ORDERS,
  WORKER_STATUSES,
  drainSchema,
  flushSchema,
  gpuHolderSchema,
  gpuSchema,
  gpuViewSchema,
  labelValueSchema,
  pendingBatchSchema,
  workerOrderedSchema,
  workerViewSchema,
} from './worker';
export type { Drain, Gpu, GpuHolder, GpuView, PendingBatch, WorkerOrder, WorkerStatus, WorkerView } from './worker';
export {
  CATCH_UP,
  CATCH_UP_LIMIT,
  ON_TIME_MS,
  OVERLAP,
  SHORTEST_INTERVAL_MS,
  cadenceSchema,
  scheduleErrorSchema,
  scheduleListSchema,
  scheduleNameSchema,
  schedulePatchSchema,
  scheduleSchema,
  scheduleSummarySchema,
  scheduleViewSchema,
  ticksSchema,
  timingSchema,
} from './schedule';
export type {
  Cadence,
  CatchUp,
  Overlap,
  ScheduleBody,
  ScheduleError,
  SchedulePatch,
  ScheduleSummary,
  ScheduleView,
} from './schedule';
export {
  HANDLER_NAME,
  LEASE_HEADER,
  WORKER_CLOSE,
  WORKER_FRAME_BYTES,
  WORKER_ID,
  workerFrameSchema,
  platformFrameSchema,
  workerOutcomeSchema,
} from './worker-protocol';
export type { WorkerFrame, WorkerHello, PlatformFrame, WorkerOutcome } from './worker-protocol';
