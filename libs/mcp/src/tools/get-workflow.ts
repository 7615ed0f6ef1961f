import { z } from 'zod';
import { inputsSchemaOf } from '../show/inputs-schema';
import { Cuts, cutSchema } from '../show/cut';
import { READS, tool } from '../tool';
import { textArgument } from './arguments';

/** Characters of a document that are shown. */
const MOST = 20_000;

export const getWorkflow = tool({
  name: 'get_workflow',
  title: 'Read a workflow',
  description:
    'A saved workflow: its document, and its inputs as a JSON Schema that the `inputs` of run_workflow must fit.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    name: textArgument(),
    version: z.int().positive().optional().describe('The newest when absent.'),
  }),
  output: z.object({
    name: z.string(),
    version: z.int(),
    createdAt: z.string(),
    inputs: z.record(z.string(), z.unknown()).describe('JSON Schema of the inputs.'),
    tasks: z.array(z.string()).describe('Keys of its tasks.'),
    document: z.unknown().describe('The document; null when it is too long to be shown here.'),
    cut: cutSchema,
  }),
  run: async ({ name, version }, { platform, signal }) => {
    const saved = await platform.getWorkflow(name, { version, signal });
    const cuts = new Cuts();
    const read = { tool: 'read_value', arguments: { workflow: name, version: saved.version, what: 'document' } };
    return {
      name: saved.name,
      version: saved.version,
      createdAt: saved.createdAt,
      inputs: { ...inputsSchemaOf(saved.document) },
      tasks: Object.keys(saved.document.tasks),
      document: cuts.value(saved.document, { at: '/document', read, most: MOST }),
      cut: cuts.list,
    };
  },
});
