import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importDocument } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { z } from 'zod';
import { EXAMPLES, IMPORT_EXAMPLE } from './examples';
import { schemaOf } from './schemas';

const schemaSchema = z.object({ $ref: z.string().optional(), examples: z.array(z.unknown()).optional() });
const bodySchema = z.object({ content: z.record(z.string(), z.object({ schema: schemaSchema })) });
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ requestBody: bodySchema.optional() }))),
  components: z.object({ schemas: z.record(z.string(), schemaSchema) }),
});

it.each(Object.keys(EXAMPLES))('the example of %s fits it', (name) => {
  expect(schemaOf(name)?.safeParse(EXAMPLES[name])).toMatchObject({ success: true });
});

it('documents and files that are shown have no faults', () => {
  expect(readDocument(EXAMPLES['WorkflowDocument'])).toMatchObject({ ok: true });
  expect(importDocument('codomyrmex', IMPORT_EXAMPLE, { body: 'noop', scale: 1 })).toMatchObject({ keys: {} });
});

it('shows an example of each body', () => {
  const text = readFileSync(join(__dirname, '../../../../docs/openapi.json'), 'utf8');
  const { paths, components } = documentSchema.parse(JSON.parse(text));
  const bodies = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => {
        const name = schema.$ref?.replace('#/components/schemas/', '') ?? '';
        return { at: `${method} ${path} ${type}`, examples: (components.schemas[name] ?? schema).examples ?? [] };
      }),
    ),
  );
  expect(bodies.length).toBeGreaterThan(15);
  expect(bodies.filter(({ examples }) => examples.length === 0).map(({ at }) => at)).toEqual([]);
});
