import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** What reruns and forks must know of runs and tasks. */
export class Reruns1767571200000 implements MigrationInterface {
  readonly name = 'Reruns1767571200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0005-reruns'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table tasks drop column attempts_before; alter table runs drop column reopened_at, drop column forked_from',
    );
  }
}
