import { LatticeError, fault, submitRunSchema, workflowNameSchema } from '@lattice/contracts';
import { z } from 'zod';
import { ADDS, tool } from '../tool';
import { outcomeSchema, waitForRun, waitSchema } from '../wait-for-run';
import { documentArguments, givenDocument } from './document-arguments';

const fields = submitRunSchema.shape;

export const idempotencyKeyArgument = z
  .string()
  .regex(/^[\x21-\x7e][\x20-\x7e]{0,254}$/, '1 to 255 printable ASCII characters')
  .optional()
  .describe(
    'A repeat with the same key within 24 hours gives the first run: give one to be safe against starting it twice.',
  );

const inputSchema = z.strictObject({
  workflow: workflowNameSchema
    .optional()
    .describe('Name of a saved workflow; or give a document by `document` or `yaml`, which is not saved.'),
  version: fields.version,
  ...documentArguments,
  inputs: z.record(z.string(), z.unknown()).optional().describe('Values for the inputs that the workflow declares.'),
  wait: waitSchema.default('20s'),
  idempotencyKey: idempotencyKeyArgument,
  priority: fields.priority,
  delay: fields.delay.describe('Not to be started before this time has passed: 30s, 5m.'),
  deadline: fields.deadline,
  tags: fields.tags,
});

export const runWorkflow = tool({
  name: 'run_workflow',
  title: 'Run a workflow',
  description:
    'Starts a run of a saved workflow or of a document, waits for its end up to `wait`, and gives its status and outputs. The run goes on when the time is over: call wait_for_run then.',
  needs: 'operator',
  hints: ADDS,
  input: inputSchema,
  output: outcomeSchema,
  pointers: { '/workflow/': '/document/', '/query/': '/' },
  run: async ({ wait, workflow, version, document, yaml, ...rest }, context) => {
    const source = sourceOf({ workflow, version, document, yaml });
    const { runId } = await context.platform.submit({ ...rest, ...source, signal: context.signal });
    return waitForRun(context, runId, wait);
  },
});

type Source = { workflow: string | Record<string, unknown>; version?: number | undefined } | { yaml: string };

function sourceOf(given: Pick<z.output<typeof inputSchema>, 'workflow' | 'version' | 'document' | 'yaml'>): Source {
  const { workflow, version, ...rest } = given;
  if (workflow === undefined) {
    const document = givenDocument(rest);
    if (version !== undefined) throw misfit('/version', 'only a saved workflow has versions');
    return typeof document === 'string' ? { yaml: document } : { workflow: document };
  }
  if (rest.document !== undefined || rest.yaml !== undefined)
    throw misfit('/workflow', 'exactly one of workflow, document, yaml');
  return { workflow, version };
}

function misfit(pointer: string, message: string): LatticeError {
  return new LatticeError('bad_request', 'The arguments of the call have faults.', {
    faults: [fault('bad_value', pointer, message)],
  });
}
