const LOSSY = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'RegExp', 'Error', 'ArrayBuffer', 'Promise']);

/**
 * The JSON text of a value: undefined counts as null. What JSON.stringify would lose silently (functions, NaN, a Map, a
 * forgotten await) is named, with its place.
 */
export function jsonText(value: unknown): { json: string } | { fault: string } {
  if (value === undefined) return { json: 'null' };
  let fault: string | undefined;
  try {
    const json = JSON.stringify(value, (key, item: unknown) => {
      fault ??= problemOf(item, key);
      return item;
    });
    return fault === undefined ? { json } : { fault };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function problemOf(item: unknown, key: string): string | undefined {
  const at = key === '' ? 'it' : `"${key}"`;
  if (typeof item === 'number' && !Number.isFinite(item)) return `${at} is ${item}`;
  if (typeof item === 'bigint' || typeof item === 'function' || typeof item === 'symbol')
    return `${at} is a ${typeof item}`;
  if (typeof item !== 'object' || item === null) return undefined;
  const kind = Object.prototype.toString.call(item).slice(8, -1);
  return LOSSY.has(kind) || ArrayBuffer.isView(item) ? `${at} is a ${kind}, which JSON does not have` : undefined;
}
