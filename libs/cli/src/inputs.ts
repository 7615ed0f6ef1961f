import { documentSchema, type InputType } from '@lattice/contracts';
import { z } from 'zod';
import { BadInput } from './bad-input';
import { readText } from './document/read-document';

type Json = z.infer<ReturnType<typeof z.json>>;
export type Inputs = Record<string, Json>;

const inputsSchema = z.record(z.string(), z.json());

/** Of --inputs: JSON, or `@FILE` with JSON in it. Throws BadInput. */
export function parseInputsOption(text: string, cwd: string): Inputs {
  const json = text.startsWith('@') ? readText(text.slice(1), cwd) : text;
  const where = text.startsWith('@') ? text.slice(1) : '--inputs';
  const parsed = inputsSchema.safeParse(parseJson(json));
  if (parsed.success) return parsed.data;
  throw new BadInput(
    `${where} is not a JSON object; write for instance --inputs '{"who":"you"}' or --inputs @inputs.json.`,
  );
}

/**
 * Of --input k=v. A value is taken by the declared type of the input; with none, as JSON if it is JSON, else as text. `@FILE` is not
 * expanded here: a value may well begin with @. Throws BadInput.
 */
export function parseInputOptions(pairs: readonly string[], types: Readonly<Record<string, InputType>>): Inputs {
  const inputs: Inputs = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new BadInput(`--input ${pair} lacks its value; write --input name=value.`);
    const name = pair.slice(0, at);
    inputs[name] = valueOf(pair.slice(at + 1), types[name]);
  }
  return inputs;
}

function valueOf(text: string, type: InputType | undefined): Json {
  if (type === 'string') return text;
  const parsed = z.json().safeParse(parseJson(text));
  return parsed.success ? parsed.data : text;
}

/** The declared types of a document's inputs; none when the document is not valid (the server will say so). */
export function inputTypes(document: Record<string, unknown>): Record<string, InputType> {
  const inputs = documentSchema.shape.inputs.safeParse(document['inputs']);
  if (!inputs.success) return {};
  return Object.fromEntries(Object.entries(inputs.data ?? {}).map(([name, { type }]) => [name, type]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
