import type { MigrationInterface, QueryRunner } from 'typeorm';
import { readSql } from '../statements';

/** What the tasks of a run wait for is found by an index. */
export class WaitingEvents1768435200000 implements MigrationInterface {
  readonly name = 'WaitingEvents1768435200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(readSql('migrations', '0015-waiting-events'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index events_waiting');
  }
}
