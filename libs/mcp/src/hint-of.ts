import { CODES, isErrorCode } from '@lattice/contracts';

/** What to do about a code, in the words of the tools where the table of errors names a route; nothing for unknown codes. */
export function hintOf(code: string): { hint?: string } {
  const hint = TOOL_HINTS[code] ?? (isErrorCode(code) ? CODES[code].hint : undefined);
  return hint === undefined ? {} : { hint };
}

const TOOL_HINTS: Readonly<Record<string, string>> = {
  unauthorized:
    'The key is missing or wrong: give this server a valid one (LATTICE_API_KEY, or the header Authorization).',
  forbidden: 'Tools that change something need a key of scope operator; this one may only look, or not even that.',
  run_not_found: 'See list_runs for the ids.',
  task_not_found: 'See get_run for the keys of its tasks.',
  workflow_not_found: 'See list_workflows for the names, or save it first with save_workflow.',
  idempotency_conflict: 'This idempotencyKey was used for another run; use a new one.',
  unreachable: 'Is the platform running, and is LATTICE_URL its address?',
  invalid_document:
    'All faults are listed, each with a JSON pointer into the document; workflow_guide says how to write one.',
  invalid_inputs: 'See get_workflow for the inputs that it declares.',
};
