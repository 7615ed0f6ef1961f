import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A workflow document, addressed by its content. */
@Entity('documents')
export class DocumentEntity {
  @PrimaryColumn('text')
  sha!: string;

  @Column('text')
  name!: string;

  @Column('json')
  document!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}

/** A version of a saved workflow. */
@Entity('workflows')
export class WorkflowEntity {
  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('int')
  version!: number;

  @Column('text', { name: 'document_sha' })
  documentSha!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
