import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A run. Indexes that TypeORM can't describe are made by the migrations alone. */
@Entity('runs')
@Index('runs_by_workflow', ['workflow', 'id'])
@Index('runs_active', { synchronize: false })
@Index('runs_unsuccessful', { synchronize: false })
@Index('runs_by_tag', { synchronize: false })
@Index('runs_by_schedule', { synchronize: false })
@Index('runs_by_parent', { synchronize: false })
@Index('runs_by_document', ['documentSha'])
export class RunEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  workflow!: string;

  @Column('int', { nullable: true })
  version!: number | null;

  @Column('text', { name: 'document_sha' })
  documentSha!: string;

  @Column('text', { default: 'pending' })
  status!: string;

  @Column('int', { default: 0 })
  priority!: number;

  @Column('text', { name: 'on_failure', default: 'cancel' })
  onFailure!: string;

  @Column('text', { array: true, default: '{}' })
  tags!: string[];

  @Column('json')
  inputs!: unknown;

  @Column('json', { nullable: true })
  outputs!: unknown;

  @Column('json', { nullable: true })
  error!: unknown;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('int', { default: 1 })
  epoch!: number;

  @Column('int', { name: 'task_count' })
  taskCount!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'not_before', precision: 3, default: () => 'now()' })
  notBefore!: Date;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, nullable: true })
  startedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3, nullable: true })
  finishedAt!: Date | null;

  /** The schedule that made it. */
  @Column('text', { nullable: true })
  schedule!: string | null;

  /** The tick it was made for; null when the schedule was triggered by hand. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  tick!: Date | null;

  /** The run whose task started this one; the next three say which of its tasks, attempts and rounds. */
  @Column('uuid', { name: 'parent_run_id', nullable: true })
  parentRunId!: string | null;

  @Column('text', { name: 'parent_task', nullable: true })
  parentTask!: string | null;

  @Column('int', { name: 'parent_attempt', nullable: true })
  parentAttempt!: number | null;

  @Column('int', { name: 'parent_index', nullable: true })
  parentIndex!: number | null;

  /** `rounds_from` of the task that started it, at that time. */
  @Column('int', { name: 'parent_from', nullable: true })
  parentFrom!: number | null;

  /** How many runs are above this one. */
  @Column('int', { default: 0 })
  depth!: number;

  /** The run it takes results over from. */
  @Column('uuid', { name: 'forked_from', nullable: true })
  forkedFrom!: string | null;

  @Column({ type: 'timestamptz', name: 'reopened_at', precision: 3, nullable: true })
  reopenedAt!: Date | null;

  /** How it is to end, once it is being stopped. */
  @Column('json', { nullable: true })
  stopping!: unknown;
}
