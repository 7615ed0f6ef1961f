/** Writes ../text-analysis.inputs.json: the texts in documents/ as inputs of a run. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'documents');
const documents = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .sort()
  .map((file) => ({ name: file.slice(0, -'.txt'.length), text: readFileSync(join(folder, file), 'utf8') }));
writeFileSync(
  join(import.meta.dirname, '..', 'text-analysis.inputs.json'),
  `${JSON.stringify({ documents }, null, 2)}\n`,
);
