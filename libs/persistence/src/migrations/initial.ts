import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** The first schema. TypeORM reads the order of migrations from the number at the end of the name. */
export class Initial1767225600000 implements MigrationInterface {
  readonly name = 'Initial1767225600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0001-initial'));
  }

  down(): Promise<void> {
    return Promise.reject(
      new Error('The first migration cannot be undone: it would drop all history. Restore a backup instead.'),
    );
  }
}
