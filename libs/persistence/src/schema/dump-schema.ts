import { z } from 'zod';
import type { Database } from '../database';
import { planned } from '../statements';

const TABLES = planned('schema-tables');
const COLUMNS = planned('schema-columns');
const CONSTRAINTS = planned('schema-constraints');
const INDEXES = planned('schema-indexes');

const HEADER =
  '-- What the migrations make, read from the catalogue of a migrated database. Generated: change a migration, not this file.\n';
const tablesSchema = z.array(z.object({ name: z.string(), options: z.string().nullable() }));
const definitionsSchema = z.array(z.object({ definition: z.string() }));

/** The schema of a migrated database as SQL text, the same on every version of Postgres that is supported. */
export async function dumpSchema(db: Database): Promise<string> {
  const tables = tablesSchema.parse(await db.query(TABLES));
  const texts = await Promise.all(tables.map((table) => dumpTable(db, table)));
  return [HEADER, ...texts].join('\n');
}

async function dumpTable(db: Database, table: { name: string; options: string | null }): Promise<string> {
  const [columns, constraints, indexes] = await Promise.all(
    [COLUMNS, CONSTRAINTS, INDEXES].map(async (statement) =>
      definitionsSchema.parse(await db.query(statement, [table.name])).map((row) => row.definition),
    ),
  );
  const lines = [...(columns ?? []), ...(constraints ?? [])].map((line) => `  ${line}`).join(',\n');
  const options = table.options === null ? '' : ` with (${table.options})`;
  return [
    `create table ${table.name} (\n${lines}\n)${options};`,
    ...(indexes ?? []).map((index) => `${index};`),
    '',
  ].join('\n');
}
