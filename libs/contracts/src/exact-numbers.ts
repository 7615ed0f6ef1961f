/** Only long numbers can be inexact; most texts have none, and are looked at no closer. */
const SUSPECT = /\d{16}|\d[eE]\+?\d{3}/;
/** Where a text begins, or a number. */
const TOKEN = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * The first number of a JSON text that would be another one once read: an integer beyond 2^53 that a double does not hold (Python and
 * containers write such), or one beyond all doubles. Undefined when all numbers are what they say.
 */
export function inexactNumber(json: string): string | undefined {
  if (!SUSPECT.test(json)) return undefined;
  const tokens = new RegExp(TOKEN);
  for (let found = tokens.exec(json); found !== null; found = tokens.exec(json)) {
    const [token] = found;
    // Digits within texts are passed over.
    if (token === '"') tokens.lastIndex = endOfJsonText(json, found.index) + 1;
    else if (isInexact(token)) return token;
  }
  return undefined;
}

/**
 * Place of the quote that ends the text begun by the quote at `start`; the length of `json` when none does. By hand: a regular
 * expression for it runs out of stack in a text of some MiB.
 */
export function endOfJsonText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let slashes = 0;
    while (json[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return json.length;
}

function isInexact(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return true;
  // A double itself may have been written with its shortest digits, which are not all of its own.
  return /^-?\d+$/.test(token) && String(value) !== token && BigInt(value) !== BigInt(token);
}
