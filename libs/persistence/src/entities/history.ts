import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event of a run. Ids rise in the order of commits. */
@Entity('events')
@Index('events_by_run', ['runId', 'id'])
@Index('events_waiting', { synchronize: false })
export class EventEntity {
  @PrimaryColumn('bigint')
  id!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('text', { name: 'task_key', nullable: true })
  taskKey!: string | null;

  @Column('int', { nullable: true })
  attempt!: number | null;

  @Column('text')
  type!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  @Column('json')
  data!: unknown;
}

/** An event that could not be stored as it came. */
@Entity('faulty_events')
export class FaultyEventEntity {
  @PrimaryColumn('text', { name: 'stream_id' })
  streamId!: string;

  @Column('text')
  fields!: string;

  @Column('text')
  error!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;
}

/** The one row that says how far the historian has come. */
@Entity('watermark')
@Check('watermark_id_check', 'id = 1')
export class WatermarkEntity {
  @PrimaryColumn('int', { default: 1 })
  id!: number;

  @Column('text', { name: 'stream_id', default: '0-0' })
  streamId!: string;

  @Column('bigint', { name: 'lattice_epoch', default: 0 })
  latticeEpoch!: string;

  @Column('bigint', { name: 'last_event_id', default: 0 })
  lastEventId!: string;
}
