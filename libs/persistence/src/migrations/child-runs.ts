import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Runs started by tasks of other runs, and signals. */
export class ChildRuns1767312000000 implements MigrationInterface {
  readonly name = 'ChildRuns1767312000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0002-child-runs'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop table signals; drop index runs_by_parent; alter table runs drop column parent_run_id, drop column parent_task, drop column parent_attempt, drop column parent_index, drop column depth',
    );
  }
}
