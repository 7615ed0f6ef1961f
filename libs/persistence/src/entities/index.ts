import { ApiKeyEntity, IdempotencyKeyEntity } from './access';
import { AdmissionEntity, RateStartEntity } from './admission';
import { ArtifactEntity } from './artifact';
import { EventEntity, FaultyEventEntity, WatermarkEntity } from './history';
import { OutboxEntity, OutputEntity } from './outbox';
import { RunEntity } from './run';
import { ScheduleEntity } from './schedule';
import { SecretEntity } from './secret';
import { SignalEntity } from './signal';
import { TaskCacheEntity } from './task-cache';
import { TaskEntity } from './task';
import { DocumentEntity, WorkflowEntity } from './workflow';

/** Every table. A test keeps them equal to what the migrations make. */
export const ENTITIES = [
  AdmissionEntity,
  ApiKeyEntity,
  ArtifactEntity,
  DocumentEntity,
  EventEntity,
  FaultyEventEntity,
  IdempotencyKeyEntity,
  OutboxEntity,
  OutputEntity,
  RateStartEntity,
  RunEntity,
  ScheduleEntity,
  SecretEntity,
  SignalEntity,
  TaskCacheEntity,
  TaskEntity,
  WatermarkEntity,
  WorkflowEntity,
];
