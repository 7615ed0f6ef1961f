import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A task of a run, as its latest attempt left it. */
@Entity('tasks')
export class TaskEntity {
  @PrimaryColumn('uuid', { name: 'run_id' })
  runId!: string;

  @PrimaryColumn('text')
  key!: string;

  @Column('int')
  position!: number;

  @Column('text', { default: 'pending' })
  status!: string;

  @Column('int', { default: 0 })
  attempts!: number;

  @Column('int', { default: 1 })
  epoch!: number;

  @Column('text', { name: 'worker_id', nullable: true })
  workerId!: string | null;

  @Column({ type: 'timestamptz', name: 'queued_at', precision: 3, nullable: true })
  queuedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, nullable: true })
  startedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3, nullable: true })
  finishedAt!: Date | null;

  @Column('json', { nullable: true })
  output!: unknown;

  /** Set when the output is kept in `outputs`. */
  @Column('int', { name: 'output_bytes', nullable: true })
  outputBytes!: number | null;

  /** The run whose result was taken over. */
  @Column('uuid', { name: 'cached_from', nullable: true })
  cachedFrom!: string | null;

  @Column('json', { nullable: true })
  error!: unknown;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('int', { name: 'attempts_before', default: 0 })
  attemptsBefore!: number;

  /** The first of its attempts whose runs still count, of a task that starts runs. */
  @Column('int', { name: 'rounds_from', default: 1 })
  roundsFrom!: number;
}
