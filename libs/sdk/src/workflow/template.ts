import { LatticeError, fault, pointerOf, type Fault } from '@lattice/contracts';
import { expression, pathOf } from './reference';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A bound value as the document has it: references as `${{ }}`, and what is no reference as it is, also a text that looks like
 * an expression. Throws `bad_value` with the places of what is not JSON.
 */
export function templateOf(value: unknown, place: readonly PropertyKey[]): Json {
  const faults: Fault[] = [];
  const template = convert(value, place, faults) ?? null;
  if (faults.length === 0) return template;
  throw new LatticeError('bad_value', faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; '), {
    faults,
  });
}

function convert(value: unknown, place: readonly PropertyKey[], faults: Fault[]): Json | undefined {
  const path = pathOf(value);
  if (path !== undefined) return expression(path);
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.replaceAll('${{', () => '$${{');
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((one, index) => convert(one, [...place, index], faults) ?? null);
  if (isPlain(value)) {
    const entries = Object.entries(value).map(([key, one]) => [key, convert(one, [...place, key], faults)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined));
  }
  faults.push(fault('bad_value', pointerOf(place), `is ${kindOf(value)}, not a JSON value`));
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
