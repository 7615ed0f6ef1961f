import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An output that tasks may take over instead of doing the work again. */
@Entity('task_cache')
@Index('task_cache_by_task', ['workflow', 'taskKey'])
@Index('task_cache_by_end', ['expiresAt'])
export class TaskCacheEntity {
  @PrimaryColumn('text')
  key!: string;

  @Column('text')
  workflow!: string;

  @Column('text', { name: 'task_key' })
  taskKey!: string;

  /** The run that did the work. */
  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text')
  output!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;
}
