import { parseDocumentText, readDocument } from '@lattice/flow';
import { readGuide } from './tools/workflow-guide';

const examples = [...readGuide().matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');

it('has examples', () => expect(examples).toHaveLength(2));

it.each(examples)('shows a document without faults: %s', (text) => {
  const read = readDocument(parseDocumentText(text, 'yaml'));
  expect(read.ok ? [] : read.faults).toEqual([]);
});
