import type { SubmitRun } from '@lattice/contracts';
import type { Call } from './request';

/** A YAML body is the document, so what else there is to say goes into the query. */
export function yamlSubmission(options: Omit<SubmitRun, 'workflow'> & { yaml: string }): Pick<Call, 'body' | 'query'> {
  const { yaml, inputs, priority, delay, deadline, tags } = options;
  const query = { inputs: inputs && JSON.stringify(inputs), priority, delay, deadline, tag: tags };
  return { body: { type: 'yaml', text: yaml }, query };
}

/** A document as it is sent: an object, or YAML text. */
export function bodyOf(document: Record<string, unknown> | string): NonNullable<Call['body']> {
  return typeof document === 'string' ? { type: 'yaml', text: document } : { type: 'json', value: document };
}
