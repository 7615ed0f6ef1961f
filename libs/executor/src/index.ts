export { createExecutors } from './executors';
export type { Holding } from './control-groups/control-groups';
export { checkWorkRoot } from './workspace';
export type { Executors, ExecutorsOptions, Reaped } from './executors';
export type { ArtifactKeeper, GivenFile, LeftFile } from './artifacts/port';
export type {
  ArtifactBody,
  BatchInfo,
  CodeProgram,
  ContainerProgram,
  Execution,
  ExecutionLimits,
  GpuGrant,
  LabelSetter,
  Executor,
  Handle,
  Handler,
  HandlerArtifacts,
  HandlerContext,
  HandlerProgram,
  HttpProgram,
  LogChunk,
  Outcome,
  ScriptProgram,
  WaitResult,
} from './port';
export { createRemoteExecutor } from './remote/remote-executor';
export type { RemoteExecutor, RemoteLink } from './remote/remote-executor';
