import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, parseDocumentText, readDocument } from '@lattice/flow';
import { importStation } from './import-station';

const folder = join(__dirname, '..', '..', 'samples', 'station');

it.each(readdirSync(folder).filter((file) => file.endsWith('.yaml')))('imports %s, every state of it', (file) => {
  const value = parseDocumentText(readFileSync(join(folder, file), 'utf8'), 'yaml') as {
    states: { id?: string; name?: string }[];
  };
  const imported = importStation(value);
  if (!imported.ok) throw new Error(JSON.stringify(imported.faults));
  const { workflow } = imported;
  expect(Object.keys(workflow.tasks)).toEqual(expect.arrayContaining(value.states.map(({ id, name }) => id ?? name)));
  const read = readDocument(workflow);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  compile(read.workflow);
});
