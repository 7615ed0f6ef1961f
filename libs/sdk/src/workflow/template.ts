import { LatticeError, fault, pointerOf, type Fault } from '@lattice/contracts';
import { expression, ownersOf, pathOf, type Owner } from './reference';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A bound value as the document has it: references as `${{ }}`, and what is no reference as it is, also a text that looks like
 * an expression. Throws `bad_value` with the places of what is not JSON, and of references to another workflow than the owner.
 */
export function templateOf(value: unknown, place: readonly PropertyKey[], owner?: Owner): Json {
  const faults: Fault[] = [];
  const template = convert(value, place, { faults, owner }) ?? null;
  if (faults.length === 0) return template;
  throw new LatticeError('bad_value', faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; '), {
    faults,
  });
}

interface Context {
  readonly faults: Fault[];
  readonly owner: Owner | undefined;
}

function convert(value: unknown, place: readonly PropertyKey[], context: Context): Json | undefined {
  const path = pathOf(value);
  if (path !== undefined) {
    const other = ownersOf(value).find((one) => context.owner !== undefined && one !== context.owner);
    if (other === undefined) return expression(path);
    const message = `refers to ${path} of another workflow, "${other.name}"`;
    context.faults.push(fault('bad_value', pointerOf(place), message));
    return undefined;
  }
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.replaceAll('${{', () => '$${{');
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((one, index) => convert(one, [...place, index], context) ?? null);
  if (isPlain(value)) {
    const entries = Object.entries(value).map(([key, one]) => [key, convert(one, [...place, key], context)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined));
  }
  context.faults.push(fault('bad_value', pointerOf(place), `is ${kindOf(value)}, not a JSON value`));
  return undefined;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor.name}`;
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}
