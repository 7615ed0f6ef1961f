/** Only long numbers can be inexact; most texts have none, and are looked at no closer. */
const SUSPECT = /\d{16}|\d[eE]\+?\d{3}/;
/** Texts first, so that digits within them are passed over. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * The first number of a JSON text that would be another one once read: an integer beyond 2^53 that a double does not hold (Python and
 * containers write such), or one beyond all doubles. Undefined when all numbers are what they say.
 */
export function inexactNumber(json: string): string | undefined {
  if (!SUSPECT.test(json)) return undefined;
  for (const [token] of json.matchAll(TOKEN)) {
    if (!token.startsWith('"') && isInexact(token)) return token;
  }
  return undefined;
}

function isInexact(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return true;
  // A double itself may have been written with its shortest digits, which are not all of its own.
  return /^-?\d+$/.test(token) && String(value) !== token && BigInt(value) !== BigInt(token);
}
