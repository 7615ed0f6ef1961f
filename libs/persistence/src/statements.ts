import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SQL ready to send. With a name the server keeps its plan for the life of a connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** The statement of `sql/NAME.sql`, prepared by its name. Read when a module loads, so that a missing file stops the start. */
export function prepared(name: string): Statement {
  return { name, text: readSql('sql', name) };
}

/** The statement of `sql/NAME.sql`, planned anew each time: for filters that may be null. */
export function planned(name: string): Statement {
  return { text: readSql('sql', name) };
}

/** Text of a `.sql` file beside `src`. */
export function readSql(folder: 'sql' | 'migrations', name: string): string {
  return readFileSync(join(__dirname, '..', folder, `${name}.sql`), 'utf8');
}
