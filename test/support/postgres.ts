import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, openDatabase, type Database } from '@lattice/persistence';

const MIGRATIONS = join(__dirname, '..', '..', 'libs', 'persistence', 'migrations');
/** Advisory lock under which the template is made: spec files run side by side. */
const TEMPLATE_LOCK = 4_127_900;

/** A database of one spec file. */
export interface TestDatabase {
  db: Database;
  url: string;
  /** Further connections, as another process would have them; `drop` closes them. */
  open(applicationName?: string): Promise<Database>;
  /** Runs SQL from outside, as an administrator would (to end connections, say). */
  administer(sql: string): Promise<void>;
  /** Closes everything and drops the database. Call it in afterAll. */
  drop(): Promise<void>;
}

/** A new, migrated database on the server of DATABASE_URL, cloned from a template made once for each set of migrations. */
export async function testDatabase(): Promise<TestDatabase> {
  const template = `lattice_template_${hashOfMigrations()}`;
  await administer(`select pg_advisory_lock(${TEMPLATE_LOCK})`, async (admin) => {
    const [found] = await admin.query('select from pg_database where datname = $1', [template]);
    if (found === undefined) await makeTemplate(admin, template);
  });
  return create(`template ${template}`);
}

/** A new database without any migration. */
export function emptyDatabase(): Promise<TestDatabase> {
  return create('template template0');
}

async function create(options: string): Promise<TestDatabase> {
  const name = `lattice_test_${randomUUID().replaceAll('-', '')}`;
  await administer(`create database ${name} ${options}`);
  const url = withDatabase(name);
  const opened: Database[] = [];
  const open = async (applicationName = 'test'): Promise<Database> => {
    const db = await openDatabase({ url, applicationName, poolSize: 8, documents: new Map() });
    opened.push(db);
    return db;
  };
  return {
    db: await open(),
    url,
    open,
    administer,
    drop: async () => {
      await Promise.all(opened.map((db) => db.close()));
      await administer(`drop database if exists ${name} with (force)`);
    },
  };
}

/** Made under another name first: a template that is there is complete. */
async function makeTemplate(admin: Database, template: string): Promise<void> {
  const draft = `${template}_draft`;
  await admin.query(`drop database if exists ${draft} with (force)`);
  await admin.query(`create database ${draft} template template0`);
  const db = await openDatabase({ url: withDatabase(draft), applicationName: 'test-template' });
  await migrate(db).finally(() => db.close());
  await admin.query(`alter database ${draft} rename to ${template}`);
}

/** Runs a statement, and then `fn`, on one connection to the server. */
async function administer(sql: string, fn?: (admin: Database) => Promise<void>): Promise<void> {
  const admin = await openDatabase({ url: serverUrl(), applicationName: 'test-admin', poolSize: 1 });
  try {
    await admin.query(sql);
    await fn?.(admin);
  } finally {
    await admin.close();
  }
}

function hashOfMigrations(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS).sort())
    hash.update(file).update(readFileSync(join(MIGRATIONS, file), 'utf8'));
  return hash.digest('hex').slice(0, 16);
}

function withDatabase(name: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.toString();
}

function serverUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') {
    throw new Error('These tests need Postgres: run `npm test`, which starts one, or set DATABASE_URL.');
  }
  return url;
}
