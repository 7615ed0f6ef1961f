/** libs/persistence/schema.sql: the schema that the migrations make, dumped from a Postgres that is started for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function* schema(root) {
  const require = createRequire(join(root, 'libs/engine/package.json'));
  const { dumpSchema, migrate, openDatabase } = require('@lattice/persistence');
  const { startServices } = createRequire(join(root, 'libs/cli/package.json'))('@lattice/embedded');
  const home = mkdtempSync(join(tmpdir(), 'lattice-schema-'));
  // No Redis is needed: one that is given is not started.
  const env = { ...process.env, DATABASE_URL: '', REDIS_URL: 'redis://127.0.0.1:1' };
  const services = await startServices({ home, fsync: false, throwAway: true, env });
  try {
    const db = await openDatabase({ url: services.databaseUrl, applicationName: 'lattice-generate' });
    try {
      await migrate(db);
      yield [join(root, 'libs/persistence/schema.sql'), await dumpSchema(db)];
    } finally {
      await db.close();
    }
  } finally {
    await services.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
