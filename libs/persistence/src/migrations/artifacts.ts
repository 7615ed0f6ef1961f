import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Files and large outputs in the store of artifacts. */
export class Artifacts1767830400000 implements MigrationInterface {
  readonly name = 'Artifacts1767830400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0008-artifacts'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table artifacts');
  }
}
