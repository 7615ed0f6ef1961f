import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A file or large output that an attempt has left in the store of artifacts. */
@Entity('artifacts')
@Index('artifacts_by_attempt', ['runId', 'taskKey', 'epoch', 'attempt'])
@Index('artifacts_by_object', ['object'])
@Index('artifacts_to_check', ['checkAt'], { where: 'check_at is not null' })
@Index('artifacts_doomed', ['doomedAt'], { where: 'doomed_at is not null' })
export class ArtifactEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column('int')
  epoch!: number;

  @Column('text', { name: 'task_key' })
  taskKey!: string;

  @Column('int')
  attempt!: number;

  /** `file` or `output`. */
  @Column('text')
  kind!: string;

  @Column('text')
  name!: string;

  @Column('text', { name: 'media_type' })
  mediaType!: string;

  /** Null until the object is whole. */
  @Column('bigint', { nullable: true })
  size!: string | null;

  @Column('text', { nullable: true })
  sha256!: string | null;

  /** Identity of the store that has the object. */
  @Column('text')
  store!: string;

  /** Key of the object. */
  @Column('text')
  object!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'check_at', precision: 3, nullable: true })
  checkAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'doomed_at', precision: 3, nullable: true })
  doomedAt!: Date | null;
}
