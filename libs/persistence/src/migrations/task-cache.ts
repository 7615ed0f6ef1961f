import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Results of tasks that may be used again. */
export class TaskCache1767744000000 implements MigrationInterface {
  readonly name = 'TaskCache1767744000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0007-task-cache'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tasks drop column cached_from; drop table task_cache');
  }
}
