'use strict';
// Shared by the runner of JavaScript tasks and, in the worker, by level none: one rule for what is a JSON value.

const { stringify } = JSON;

/**
 * The JSON text of a task's return value: undefined counts as null, toJSON is honoured, an undefined property is left out.
 * What JSON.stringify would lose silently (functions, NaN, a Map, a forgotten await) is refused, with its place.
 * @returns {{ json: string } | { fault: string }}
 */
function toJson(value) {
  if (value === undefined || value === null) return { json: 'null' };
  if (typeof value === 'string' || typeof value === 'boolean') return { json: stringify(value) };
  let fault;
  // The objects from the root down to the holder of the current key, with their paths.
  const open = [];
  try {
    const json = stringify(value, function replace(key, item) {
      if (fault !== undefined) return null;
      while (open.length > 0 && open[open.length - 1].value !== this) open.pop();
      const parent = open[open.length - 1];
      const path = parent === undefined ? '$' : pathOf(parent, key);
      const problem = problemOf(item, open);
      if (problem !== undefined) fault = `${path} ${problem}`;
      else if (typeof item === 'object' && item !== null) open.push({ value: item, path });
      return item;
    });
    return fault === undefined ? { json: json === undefined ? 'null' : json } : { fault };
  } catch (error) {
    if (fault !== undefined) return { fault };
    if (error instanceof RangeError) return { fault: '$ is nested too deeply or too large for JSON' };
    return { fault: `$ could not be turned into JSON: ${messageOf(error)}` };
  }
}

function problemOf(item, open) {
  switch (typeof item) {
    case 'number':
      return Number.isFinite(item) ? undefined : `is ${item}, which JSON does not have`;
    case 'bigint':
      return 'is a BigInt; return it as a string';
    case 'function':
      return 'is a function';
    case 'symbol':
      return 'is a symbol';
    case 'object':
      if (item === null) return undefined;
      if (open.some((one) => one.value === item)) return 'refers back to an object that contains it';
      return lossy(item);
    default:
      return undefined;
  }
}

function lossy(item) {
  if (Array.isArray(item)) return undefined;
  const tag = Object.prototype.toString.call(item);
  if (tag === '[object Object]') return undefined;
  if (typeof item.then === 'function') return 'is a promise; await it';
  const name = tag.slice(8, -1);
  if (/Generator|Iterator/.test(name)) return 'is a generator or iterator; collect its values, e.g. with Array.from';
  const convert = ['Map', 'Set'].includes(name) || ArrayBuffer.isView(item) ? '; convert it, e.g. with Array.from' : '';
  return LOSSY.has(name) || ArrayBuffer.isView(item) ? `is a ${name}, which JSON does not have${convert}` : undefined;
}

// Their contents are not in properties, so JSON.stringify makes {} of them.
const LOSSY = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'RegExp',
  'Error',
  'ArrayBuffer',
  'SharedArrayBuffer',
]);

function pathOf(parent, key) {
  if (Array.isArray(parent.value)) return `${parent.path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${parent.path}.${key}` : `${parent.path}[${stringify(key)}]`;
}

function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

module.exports = { toJson };
