import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/** A run with limits of its own, from the moment it is due to its end. */
@Entity('admissions')
@Index('admissions_waiting', { synchronize: false })
@Index('admissions_holding', { synchronize: false })
@Index('admissions_by_concurrency', { synchronize: false })
@Index('admissions_not_begun', { synchronize: false })
export class AdmissionEntity {
  @PrimaryColumn('uuid', { name: 'run_id' })
  runId!: string;

  @Column('int')
  epoch!: number;

  /** Of the outbox row that sends the run. */
  @Column('text')
  kind!: string;

  @Column('json', { nullable: true })
  payload!: unknown;

  @Column('int')
  priority!: number;

  @Column({ type: 'timestamptz', name: 'due_at', precision: 3 })
  dueAt!: Date;

  /** Names of limiters; the run has those that are not null. */
  @Column('text', { nullable: true })
  concurrency!: string | null;

  @Column('int', { name: 'concurrency_limit', nullable: true })
  concurrencyLimit!: number | null;

  @Column('text', { nullable: true })
  policy!: string | null;

  @Column('text', { nullable: true })
  rate!: string | null;

  @Column('int', { name: 'rate_limit', nullable: true })
  rateLimit!: number | null;

  @Column('bigint', { name: 'rate_ms', nullable: true })
  rateMs!: string | null;

  @Column('text', { nullable: true })
  fair!: string | null;

  @Column('int', { name: 'fair_limit', nullable: true })
  fairLimit!: number | null;

  /** The limiter that holds it back; null once it is admitted. */
  @Column('text', { name: 'waiting_on', nullable: true })
  waitingOn!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column({ type: 'timestamptz', name: 'admitted_at', precision: 3, nullable: true })
  admittedAt!: Date | null;

  /** An attempt of it was begun. */
  @Column('boolean', { default: false })
  begun!: boolean;

  /** A newer run took its place: it is being cancelled. */
  @Column('boolean', { default: false })
  replaced!: boolean;
}

/** When a run with a rate limit was let in. */
@Entity('rate_starts')
@Index('rate_starts_by_limiter', ['limiter', 'at'])
@Index('rate_starts_by_end', ['endsAt'])
export class RateStartEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column('text')
  limiter!: string;

  @Column('timestamptz')
  at!: Date;

  @Column({ type: 'timestamptz', name: 'ends_at' })
  endsAt!: Date;
}
