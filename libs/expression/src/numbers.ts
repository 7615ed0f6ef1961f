import { LatticeError } from '@lattice/contracts';

const INT64 = 2 ** 63;

/** A JSON value as CEL sees it: integral numbers are bigint. Integers that JSON could not hold exactly are refused. */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || Math.abs(value) >= INT64) return value;
    if (!Number.isSafeInteger(value)) throw outOfRange(value);
    return BigInt(value);
  }
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toCel(inner)]));
  }
  return value;
}

/** What CEL gave as a JSON value; throws `number_out_of_range`, or `expression_failed` for what JSON cannot hold. */
export function fromCel(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint': {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw outOfRange(value);
      return number;
    }
    case 'number':
      if (!Number.isFinite(value))
        throw new LatticeError('expression_failed', `the value is ${value}, which JSON cannot hold`);
      return value;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return fromObject(value);
    default:
      throw new LatticeError('expression_failed', `the value is of a type that JSON cannot hold (${typeof value})`);
  }
}

function fromObject(value: object | null): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), fromCel(inner)]));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fromCel(inner)]));
  }
  throw new LatticeError(
    'expression_failed',
    `the value is of a type that JSON cannot hold (${value.constructor.name})`,
  );
}

function outOfRange(value: number | bigint): LatticeError {
  return new LatticeError('number_out_of_range', `${value} is beyond 2^53 and would not be exact in JSON`);
}
