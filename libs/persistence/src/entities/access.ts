import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** A key of the API; of its secret only the hash is stored. */
@Entity('api_keys')
@Unique('api_keys_hash_key', ['hash'])
export class ApiKeyEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  hash!: string;

  @Column('text', { array: true })
  scopes!: string[];

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;
}

/** An Idempotency-Key and the run it stands for. */
@Entity('idempotency_keys')
@Index('idempotency_keys_by_age', ['createdAt'])
export class IdempotencyKeyEntity {
  @PrimaryColumn('text')
  key!: string;

  @PrimaryColumn('uuid', { name: 'api_key_id' })
  apiKeyId!: string;

  @Column('text', { name: 'body_sha' })
  bodySha!: string;

  @Column('uuid', { name: 'run_id' })
  runId!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
