import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** The queue of runs that wait for limits of their workflow. */
export class Admissions1767484800000 implements MigrationInterface {
  readonly name = 'Admissions1767484800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0004-admissions'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table admissions, rate_starts');
  }
}
