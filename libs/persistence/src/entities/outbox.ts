import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/** Something decided that is not yet in the queue. */
@Entity('outbox')
@Index('outbox_due', ['notBefore', 'id'])
@Index('outbox_run', ['runId'])
export class OutboxEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column('text')
  kind!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column({ type: 'timestamptz', name: 'not_before', precision: 3, default: () => 'now()' })
  notBefore!: Date;

  @Column('json', { nullable: true })
  payload!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}

/** An output too large for Redis. */
@Entity('outputs')
export class OutputEntity {
  @PrimaryColumn('uuid', { name: 'run_id' })
  runId!: string;

  @PrimaryColumn('int')
  epoch!: number;

  @PrimaryColumn('text', { name: 'task_key' })
  taskKey!: string;

  @PrimaryColumn('int')
  attempt!: number;

  @Column('text')
  output!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
