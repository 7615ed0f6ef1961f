import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Something that was said to a run from outside; a waiting task takes it, once. */
@Entity('signals')
@Index('signals_by_run', ['runId', 'name', 'id'])
export class SignalEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text')
  name!: string;

  @Column('json')
  payload!: unknown;

  @Column('text')
  sender!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;

  /** KEY.ATTEMPT of the task that took it. */
  @Column('text', { name: 'taken_by', nullable: true })
  takenBy!: string | null;
}
