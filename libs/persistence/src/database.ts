import type { WorkflowDocument } from '@lattice/contracts';
import { Client, Pool, type ClientConfig, type QueryResult } from 'pg';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { ENTITIES } from './entities';
import { MIGRATIONS } from './migrations';
import type { Statement } from './statements';

const POOL_SIZE = 10;
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that nobody needs is ended after so long: a new one is a process of Postgres that parses its statements anew. */
const IDLE_MS = 120_000;
/** Net for a process that hangs inside a transaction: the server ends it and frees its locks. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** The client gives up this long after the server should have: it catches a server that no longer answers. */
const CLIENT_SLACK_MS = 5_000;
const RELAXED = 'begin; set local synchronous_commit = off';

export type Row = Record<string, unknown>;

/** Something that runs statements: the pool, or one connection within a transaction. */
export interface Session {
  /** Rows of a statement. Values are passed beside the text, never within it. */
  query(statement: Statement | string, params?: readonly unknown[]): Promise<Row[]>;
}

/** Parsed documents by their sha, which says all of them: they never change. How many are kept is up to whoever opens the database. */
export interface KeptDocuments {
  get(sha: string): WorkflowDocument | undefined;
  /** `characters`: of the document as JSON. */
  set(sha: string, document: WorkflowDocument, characters: number): void;
}

const NONE: KeptDocuments = { get: () => undefined, set: () => undefined };

/** The connections of a process to its database. */
export interface Database extends Session {
  readonly dataSource: DataSource;
  readonly documents: KeptDocuments;
  /**
   * Runs `fn` in a transaction on one connection; commits when it resolves, rolls back when it throws. With `relaxed` the
   * commit does not wait for the disk: for what may be done again, should Postgres crash in that moment.
   */
  transaction<T>(fn: (session: Session) => Promise<T>, options?: { relaxed?: boolean }): Promise<T>;
  /** A connection outside the pool, not yet made; whoever asks for it ends it. */
  dedicatedClient(): Client;
  /** Ends all connections, when the statements in flight are done. Closing twice is harmless. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Connections at most; default 10. */
  poolSize?: number | undefined;
  /** Milliseconds until the server ends a statement; default 30,000. */
  statementTimeoutMs?: number | undefined;
  /** Where documents that were read are kept; nowhere by default. */
  documents?: KeptDocuments | undefined;
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  onError?: ((error: Error) => void) | undefined;
}

/** Connects. Throws what the driver throws; see {@link isConnectionLoss} to tell whether to try again. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const statementTimeout = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const config: ClientConfig = {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeout,
    query_timeout: statementTimeout + CLIENT_SLACK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
  };
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    installExtensions: false,
    poolSize: options.poolSize ?? POOL_SIZE,
    extra: { ...config, idleTimeoutMillis: IDLE_MS },
    poolErrorHandler: options.onError ?? (() => undefined),
  });
  await dataSource.initialize();
  const pool = poolOf(dataSource);
  let closing: Promise<void> | undefined;
  return {
    dataSource,
    documents: options.documents ?? NONE,
    query: (statement, params) => send(pool, statement, params),
    transaction: (fn, options) => inTransaction(pool, options?.relaxed === true ? RELAXED : 'begin', fn),
    dedicatedClient: () => new Client(config),
    close: () => (closing ??= dataSource.destroy()),
  };
}

/** TypeORM types its driver as any driver; its pool is the only one of the process, so that poolSize is a true bound. */
function poolOf(dataSource: DataSource): Pool {
  const { master } = z.object({ master: z.instanceof(Pool) }).parse(dataSource.driver);
  return master;
}

/** What pools and clients have in common. */
interface Queryable {
  query(config: { name?: string; text: string; values: unknown[] }): Promise<QueryResult<Row>>;
}

/** Runs a statement on a pool or a connection. */
export async function send(
  on: Queryable,
  statement: Statement | string,
  params: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await on.query(
    typeof statement === 'string' ? { text: statement, values: [...params] } : { ...statement, values: [...params] },
  );
  return rows;
}

async function inTransaction<T>(pool: Pool, begin: string, fn: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener an error of the connection between two statements would end the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let broken = false;
  try {
    await client.query(begin);
    const result = await fn({ query: (statement, params) => send(client, statement, params) });
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}
