import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A schedule: which workflow is run, when, and how far its ticks are dealt with. */
@Entity('schedules')
@Index('schedules_due', { synchronize: false })
export class ScheduleEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  workflow!: string;

  @Column('int', { nullable: true })
  version!: number | null;

  @Column('text', { name: 'document_sha', nullable: true })
  documentSha!: string | null;

  @Column('json', { nullable: true })
  document!: unknown;

  @Column('json')
  inputs!: unknown;

  @Column('int', { default: 0 })
  priority!: number;

  @Column('text', { array: true, default: '{}' })
  tags!: string[];

  @Column('json')
  cadence!: unknown;

  @Column('text', { name: 'catch_up' })
  catchUp!: string;

  @Column('text')
  overlap!: string;

  @Column('boolean', { default: false })
  paused!: boolean;

  @Column({ type: 'timestamptz', name: 'handled_until', precision: 3 })
  handledUntil!: Date;

  @Column({ type: 'timestamptz', name: 'next_at', precision: 3, nullable: true })
  nextAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_at', precision: 3, nullable: true })
  lastAt!: Date | null;

  @Column('uuid', { name: 'last_run_id', nullable: true })
  lastRunId!: string | null;

  @Column('bigint', { default: 0 })
  missed!: string;

  @Column('bigint', { default: 0 })
  skipped!: string;

  @Column('bigint', { default: 0 })
  failed!: string;

  @Column('json', { name: 'last_error', nullable: true })
  lastError!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
