import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Runs that a task started count over its attempts; who holds a place of a limiter is found by an index. */
export class KeptRounds1768089600000 implements MigrationInterface {
  readonly name = 'KeptRounds1768089600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0011-kept-rounds'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop index admissions_holding; drop index runs_by_parent; alter table tasks drop column rounds_from; alter table runs drop column parent_from; create unique index runs_by_parent on runs (parent_run_id, parent_task, parent_attempt, parent_index) where parent_run_id is not null',
    );
  }
}
