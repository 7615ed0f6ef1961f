import { USES_PATTERN, pointerOf, type Fault } from '@lattice/contracts';
import { readDocument } from '@lattice/flow';
import type { Imported } from '../importer';
import { legalName } from '../legal-name';
import { taskKeysOf } from '../task-keys';
import { dottedNames } from './dotted-names';
import { readSteps, type CodomyrmexFile, type Step } from './read-steps';
import { conditionOf, withReferences, type Names } from './references';
import { RETRY_FIELDS, retryOf, seconds } from './retry-of-step';

/**
 * Imports a workflow of Codomyrmex: a step is a task of `handler/MODULE.ACTION` that gets the parameters; `{{step.output}}` is the output of
 * that step, `{{name}}` an input of the workflow.
 */
export function importCodomyrmex(value: unknown): Imported {
  const read = readSteps(value);
  if (!read.ok) return read;
  const { file } = read;
  const keys = taskKeysOf(file.steps.map(({ name }) => name));
  const names: Names = {
    keys: new Map(file.steps.map(({ name }, index) => [name, keys[index] ?? ''])),
    dotted: dottedNames(file.steps.map(({ name }) => name)),
    inputs: new Set(),
    unread: new Set(),
    referred: new Map(),
  };
  const notes: string[] = [];
  const tasks = file.steps.map((step) => [names.keys.get(step.name) ?? '', taskOf(step, names, notes)] as const);
  const name = legalName(file.name);
  const inputs = Object.fromEntries([...names.inputs].map((input) => [input, { type: 'any', required: true }]));
  const { limits, others } = limitsOf(file.details);
  const checked = readDocument({
    name,
    ...limits,
    ...(file.description === undefined ? {} : { description: file.description }),
    ...(names.inputs.size === 0 ? {} : { inputs }),
    tasks: Object.fromEntries(tasks),
    metadata: { importedFrom: { format: 'codomyrmex', name: file.name }, ...others },
  });
  if (!checked.ok) return { ok: false, faults: checked.faults.map((fault) => inFile(fault, file, keys)) };
  return {
    ok: true,
    workflow: checked.workflow.document,
    notes: [...generalNotes({ ...file, details: others }, names, name), ...notes],
    keys: Object.fromEntries([...names.keys].filter(([original, key]) => original !== key)),
  };
}

/** What holds for the whole workflow, of the fields at the top; all others are kept. */
function limitsOf({ timeout, fail_fast, ...rest }: CodomyrmexFile['details']): {
  limits: object;
  others: CodomyrmexFile['details'];
} {
  const isTime = typeof timeout === 'number' && timeout > 0;
  const isSaid = typeof fail_fast === 'boolean';
  return {
    limits: {
      ...(isTime ? { timeout: seconds(timeout) } : {}),
      ...(fail_fast === false ? { onFailure: 'continue' } : {}),
    },
    others: {
      ...(isTime || timeout === undefined ? {} : { timeout }),
      ...(isSaid || fail_fast === undefined ? {} : { fail_fast }),
      ...rest,
    },
  };
}

function taskOf(step: Step, names: Names, notes: string[]): Record<string, unknown> {
  const { name, module, action, parameters, dependencies, run_if, condition, required, timeout } = step;
  const { tags, metadata, ...details } = step;
  for (const used of ['name', 'module', 'action', 'parameters', 'dependencies', 'run_if', 'condition', 'required'])
    delete details[used];
  for (const used of ['timeout', ...RETRY_FIELDS]) delete details[used];
  const uses = handlerOf(module ?? undefined, action);
  const { retry, notes: ofRetry } = retryOf(step);
  notes.push(...ofRetry.map((note) => `Step "${name}": ${note}`));
  const kept = { ...metadataOf(metadata), ...details };
  const asked = run_if ?? condition ?? undefined;
  const { cel: runIf, steps = [] } = asked === undefined ? {} : conditionOf(asked, names, name);
  // Whom a condition names is waited for, though it can't be said.
  const before = runIf === undefined ? [...steps].filter((step) => step !== name) : [];
  const needs = [...new Set([...(dependencies ?? []), ...before])].map((step) => names.keys.get(step));
  if (asked !== undefined && runIf === undefined) {
    notes.push(`Step "${name}" has a condition that can't be said here, so it always runs: ${asked.slice(0, 200)}`);
  }
  if (required === false) notes.push(`Step "${name}" is not required there; here its failure ends the run.`);
  if (Object.keys(kept).length > 0) {
    notes.push(`Step "${name}": kept as metadata, without effect: ${Object.keys(kept).join(', ')}.`);
  }
  return {
    uses,
    ...(parameters === undefined || parameters === null
      ? { with: {} }
      : { with: withReferences(parameters, names, name) }),
    ...(needs.length === 0 ? {} : { needs }),
    ...(runIf === undefined ? {} : { if: `\${{ ${runIf} }}` }),
    ...(timeout === undefined || timeout === null ? {} : { timeout: seconds(timeout) }),
    ...(retry === undefined ? {} : { retry }),
    ...(tags === undefined || tags === null ? {} : { tags }),
    ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }),
  };
}

/** `handler/MODULE.ACTION`, in the letters that names of handlers have. */
function handlerOf(module: string | undefined, action: string): string {
  const whole = module === undefined || module === '' ? action : `${module}.${action}`;
  const legal = whole
    .replaceAll(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '')
    .slice(0, 100);
  const uses = `handler/${legal}`;
  return USES_PATTERN.test(uses) ? uses : 'handler/unnamed';
}

/** What a step keeps of its own; a text or a list has no names of its own. */
function metadataOf(metadata: unknown): object {
  if (metadata === undefined || metadata === null) return {};
  return typeof metadata === 'object' && !Array.isArray(metadata) ? metadata : { metadata };
}

function generalNotes({ steps, details, name: original }: CodomyrmexFile, names: Names, name: string): string[] {
  const notes = ['Each step uses the handler MODULE.ACTION: a worker has to offer it.'];
  if (name !== original) notes.push(`The workflow "${original.slice(0, 100)}" is named "${name}" here.`);
  if (names.inputs.size > 0)
    notes.push(`Names that are no steps are inputs of the workflow: ${[...names.inputs].join(', ')}.`);
  const implied = steps.filter((step) =>
    [...(names.referred.get(step.name) ?? [])].some((other) => !(step.dependencies ?? []).includes(other)),
  );
  if (implied.length > 0) {
    notes.push(`Steps that refer to others which they do not name as dependencies wait for them: ${listed(implied)}.`);
  }
  if (names.unread.size > 0)
    notes.push(`Left as text, for nothing here is that: ${[...names.unread].slice(0, 20).join(' ')}`);
  const fields = Object.keys(details);
  if (fields.length > 0) notes.push(`Kept as metadata of the workflow, without effect: ${fields.join(', ')}.`);
  return notes;
}

const listed = (steps: readonly Step[]): string =>
  steps
    .slice(0, 20)
    .map(({ name }) => name)
    .join(', ') + (steps.length > 20 ? ` and ${steps.length - 20} more` : '');

/** A fault of the document at its place in the file. */
function inFile(fault: Fault, { at }: CodomyrmexFile, keys: readonly string[]): Fault {
  const index = keys.findIndex((key) => {
    const pointer = pointerOf(['tasks', key]);
    return fault.pointer === pointer || fault.pointer.startsWith(`${pointer}/`);
  });
  return { ...fault, pointer: index === -1 ? '' : pointerOf([at, index]) };
}
