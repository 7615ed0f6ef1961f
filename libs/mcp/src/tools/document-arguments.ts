import { LatticeError, fault } from '@lattice/contracts';
import { z } from 'zod';

/** A document as an argument: as an object, or as YAML text. */
export const documentArguments = {
  document: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('The workflow document as a JSON object; workflow_guide says how to write one.'),
  yaml: z.string().min(1).optional().describe('The document as YAML text, in place of `document`.'),
};

/** The one that was given; throws `bad_request` when it is not exactly one. */
export function givenDocument({
  document,
  yaml,
}: {
  document?: Record<string, unknown> | undefined;
  yaml?: string | undefined;
}): Record<string, unknown> | string {
  const given = document ?? yaml;
  if (given !== undefined && (document === undefined || yaml === undefined)) return given;
  throw new LatticeError('bad_request', 'Give the document as `document` or as `yaml`: exactly one of them.', {
    faults: [fault(given === undefined ? 'missing_field' : 'duplicate', '/document', 'exactly one of document, yaml')],
  });
}
