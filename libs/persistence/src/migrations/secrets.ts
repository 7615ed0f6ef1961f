import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** Secrets of tasks. */
export class Secrets1767916800000 implements MigrationInterface {
  readonly name = 'Secrets1767916800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0009-secrets'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table secrets');
  }
}
