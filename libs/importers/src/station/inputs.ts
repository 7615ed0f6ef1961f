import { INPUT_TYPES, isTaskKey, type InputType } from '@lattice/contracts';
import type { Head } from './state-spec';

/** The name of an input here: words of CEL get a _. */
export function inputKey(name: string): string {
  return isTaskKey(name) ? name : `${name}_`;
}

export interface ReadInputs {
  /** Names as they are in the file. */
  readonly names: ReadonlySet<string>;
  readonly inputs: Readonly<Record<string, object>>;
  /** The file says what the inputs are. */
  readonly isGiven: boolean;
  readonly notes: readonly string[];
}

const CARRIED = new Set(['type', 'default', 'description']);

/** The inputs that the schema of a file names, with type, default and description. */
export function readInputs(schema: Head['inputSchema']): ReadInputs {
  const properties = Object.entries(schema?.properties ?? {});
  const required = new Set(schema?.required ?? []);
  const notes: string[] = [];
  const legal = properties.filter(([name]) => isTaskKey(inputKey(name)));
  const refused = properties.filter(([name]) => !isTaskKey(inputKey(name))).map(([name]) => name.slice(0, 100));
  if (refused.length > 0)
    notes.push(`Inputs that can't be named so here are left out: ${refused.slice(0, 20).join(', ')}.`);
  const renamed = legal.filter(([name]) => !isTaskKey(name)).map(([name]) => `${name} -> ${inputKey(name)}`);
  if (renamed.length > 0) notes.push(`Inputs that have another name here: ${renamed.slice(0, 20).join(', ')}.`);
  const more = legal.flatMap(([name, property]) => {
    const fields = Object.keys(property).filter((field) => !CARRIED.has(field));
    return fields.length === 0 ? [] : [`${name} (${fields.join(', ')})`];
  });
  if (more.length > 0) notes.push(`Not carried over of inputs: ${more.slice(0, 20).join(', ')}.`);
  const inputs = legal.map(([name, { type, default: initial, description }]) => {
    const given = initial === undefined ? {} : { default: initial };
    const told = typeof description === 'string' ? { description } : {};
    return [
      inputKey(name),
      { type: typeOf(type), required: required.has(name) && initial === undefined, ...given, ...told },
    ] as const;
  });
  return {
    names: new Set(legal.map(([name]) => name)),
    inputs: Object.fromEntries(inputs),
    isGiven: properties.length > 0,
    notes,
  };
}

function typeOf(type: unknown): InputType {
  return INPUT_TYPES.find((known) => known === type) ?? 'any';
}
