import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Schedules, and which of them made a run. */
export class Schedules1767398400000 implements MigrationInterface {
  readonly name = 'Schedules1767398400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0003-schedules'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index runs_by_schedule');
    await runner.query('alter table runs drop column schedule, drop column tick');
    await runner.query('drop table schedules');
  }
}
