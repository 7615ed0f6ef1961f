import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Whether a run refers to a document is found by an index. */
export class UnusedDocuments1768694400000 implements MigrationInterface {
  readonly name = 'UnusedDocuments1768694400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0018-unused-documents'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index runs_by_document');
  }
}
