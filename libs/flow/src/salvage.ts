import { documentSchema, taskSchema, type TaskDocument, type WorkflowDocument } from '@lattice/contracts';
import { STAND_IN } from './kinds';
import type { KnownNames } from './references';

/**
 * What can be read of a document that its schema refuses, so that the faults between tasks are told together with those of
 * fields. Fields at fault are left out; the names of all tasks and inputs count as known, whatever is wrong with them.
 */
export function salvage(value: unknown): { document: WorkflowDocument; known: KnownNames } {
  const raw = objectOf(value);
  const shape = documentSchema.shape;
  const inputs = shape.inputs.safeParse(raw['inputs']);
  const defaults = shape.defaults.safeParse(raw['defaults']);
  const outputs = shape.outputs.safeParse(raw['outputs']);
  const concurrency = shape.concurrency.safeParse(raw['concurrency']);
  const rateLimit = shape.rateLimit.safeParse(raw['rateLimit']);
  const fairShare = shape.fairShare.safeParse(raw['fairShare']);
  const tasks = Object.entries(objectOf(raw['tasks']));
  const document: WorkflowDocument = {
    name: 'salvaged',
    tasks: Object.fromEntries(
      tasks.flatMap(([key, task]) => {
        const read = salvageTask(task);
        return read === undefined ? [] : [[key, read]];
      }),
    ),
    ...(inputs.success && inputs.data !== undefined ? { inputs: inputs.data } : {}),
    ...(defaults.success && defaults.data !== undefined ? { defaults: defaults.data } : {}),
    ...(outputs.success && outputs.data !== undefined ? { outputs: outputs.data } : {}),
    ...(concurrency.data === undefined ? {} : { concurrency: concurrency.data }),
    ...(rateLimit.data === undefined ? {} : { rateLimit: rateLimit.data }),
    ...(fairShare.data === undefined ? {} : { fairShare: fairShare.data }),
  };
  const known = {
    tasks: new Set(tasks.map(([key]) => key)),
    inputs: new Set(Object.keys(objectOf(raw['inputs']))),
  };
  return { document, known };
}

/** The value, or an object with nothing in place of all else. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function salvageTask(value: unknown): TaskDocument | undefined {
  const raw = objectOf(value);
  const first = taskSchema.safeParse(raw);
  if (first.success) return first.data;
  const atFault = new Set(
    first.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])])),
  );
  const kept = Object.fromEntries(Object.entries(raw).filter(([name]) => !atFault.has(name)));
  const second = taskSchema.safeParse({ uses: STAND_IN, ...kept });
  return second.success ? second.data : undefined;
}
