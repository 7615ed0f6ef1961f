import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A value that tasks are given and nobody is shown. */
@Entity('secrets')
export class SecretEntity {
  @PrimaryColumn('text')
  name!: string;

  /** Which key it is encrypted with. */
  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('bytea')
  sealed!: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
