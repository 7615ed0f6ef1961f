import { fault, pointerOf, type Fault, type InputType, type WorkflowDocument } from '@lattice/contracts';
import { shapeFaults } from './parse';

export type CheckedInputs =
  { readonly ok: true; readonly inputs: Record<string, unknown> } | { readonly ok: false; readonly faults: Fault[] };

/** Inputs of a run against what the document declares: defaults filled in, missing ones null, all faults together. */
export function checkInputs(document: WorkflowDocument, given: Readonly<Record<string, unknown>>): CheckedInputs {
  const declared = document.inputs ?? {};
  const faults = shapeFaults(given).map((found) => ({ ...found, pointer: `/inputs${found.pointer}` }));
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declared, name)) {
      faults.push(fault('unknown_field', pointerOf(['inputs', name]), `the workflow declares no input "${name}"`));
    }
  }
  const inputs: Record<string, unknown> = {};
  for (const [name, { type, required, default: fallback }] of Object.entries(declared)) {
    const value = given[name] ?? fallback ?? null;
    if (value === null && required) {
      faults.push(
        fault('missing_field', pointerOf(['inputs', name]), `the workflow needs the input "${name}" (${type})`),
      );
    } else if (value !== null) {
      const found = typeFault(type, value, `input "${name}"`);
      if (found !== undefined) faults.push(fault(found.code, pointerOf(['inputs', name]), found.message));
    }
    inputs[name] = value;
  }
  return faults.length === 0 ? { ok: true, inputs } : { ok: false, faults };
}

/** Defaults that their own input would refuse. */
export function defaultFaults(document: WorkflowDocument): Fault[] {
  return Object.entries(document.inputs ?? {}).flatMap(([name, { type, default: value }]) => {
    if (value === undefined || value === null) return [];
    const found = typeFault(type, value, `the default of input "${name}"`);
    return found === undefined ? [] : [fault(found.code, pointerOf(['inputs', name, 'default']), found.message)];
  });
}

function typeFault(
  type: InputType,
  value: unknown,
  what: string,
): { code: 'bad_type' | 'number_out_of_range'; message: string } | undefined {
  if (!isOfType(type, value)) return { code: 'bad_type', message: `${what} is ${typeOf(value)}, not ${type}` };
  if (type !== 'integer' || Number.isSafeInteger(value)) return undefined;
  return { code: 'number_out_of_range', message: `${what} is beyond 2^53 and would not be exact` };
}

function isOfType(type: InputType, value: unknown): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
  }
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}
