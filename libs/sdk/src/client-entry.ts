/** What works in browsers as well as in Node: nothing here imports from `node:`. */
export { LatticeClient } from './client';
export type { SubmitOptions, ListRunsOptions, WaitOptions } from './client-options';
export { ApiError, RunError, Unreachable, hasCode } from './errors';
export type { EventsOptions } from './events';
export type { CallOptions, ClientOptions } from './request';
export type { TaskResult } from './results';
export { Schedules, type Timing } from './schedules';
export { Secrets } from './secrets';
export { createWorkflow, Workflow } from './workflow/create-workflow';
export type { AddOptions, RunOptions, TaskNode, WorkflowOptions } from './workflow/create-workflow';
export { cel, text } from './workflow/reference';
export type { Bound, Ref, Reference, Resolved } from './workflow/reference';
export type { RunHandle } from './workflow/run-handle';
export type { Checked, Given, SchemaLike } from './workflow/schema';
export { handler, task } from './workflow/task';
export type {
  ArtifactBody,
  Batch,
  CodeFunction,
  CodeOptions,
  CodeTask,
  HandlerArtifacts,
  HandlerContext,
  HandlerFunction,
  HandlerTask,
  Retry,
  Task,
  TaskOptions,
  TaskSettings,
} from './workflow/task';
export { LatticeError } from '@lattice/contracts';
export type {
  Artifact,
  ErrorCode,
  Fault,
  LogEntry,
  RunEvent,
  RunList,
  RunView,
  ScheduleBody,
  SchedulePatch,
  ScheduleSummary,
  ScheduleView,
  TaskError,
  TaskView,
  WorkerView,
  WorkflowDocument,
} from '@lattice/contracts';
export { z } from 'zod';
