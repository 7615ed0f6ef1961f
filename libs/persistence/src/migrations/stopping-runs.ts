import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** A run that is being stopped says so, and how it is to end. */
export class StoppingRuns1768521600000 implements MigrationInterface {
  readonly name = 'StoppingRuns1768521600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0016-stopping-runs'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table runs drop column stopping');
  }
}
