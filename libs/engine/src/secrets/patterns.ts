/** A piece of a secret that is masked by itself has so many characters at least. */
export const SHORTEST = 8;
/** `base64` and PEM files break their lines after so many characters. */
const WRAPS = [76, 64];

/**
 * The texts by which a secret is known in a log: itself, each of its lines, the texts within it if it is JSON, and all of them
 * as JSON text, in base64 (also within a longer text that was encoded), in hexadecimal and URL-encoded.
 */
export function patternsOf(secret: string): string[] {
  const found = new Set<string>();
  for (const text of [secret, secret.trim(), ...linesOf(secret), ...jsonTextsOf(secret)]) {
    for (const form of formsOf(text)) if (form.length >= SHORTEST) found.add(form);
  }
  return [...found];
}

function linesOf(secret: string): string[] {
  return secret
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST);
}

function jsonTextsOf(secret: string): string[] {
  if (!/^\s*[[{]/.test(secret)) return [];
  try {
    return textsWithin(JSON.parse(secret)).filter((text) => text.length >= SHORTEST);
  } catch {
    return [];
  }
}

function textsWithin(value: unknown): string[] {
  if (typeof value === 'string') return [value, ...linesOf(value)];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsWithin);
}

function formsOf(text: string): string[] {
  const quoted = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text);
  const form = new URLSearchParams({ '': text }).toString().slice(1);
  const hex = Buffer.from(text).toString('hex');
  return [
    text,
    text.replaceAll('\n', '\r\n'),
    quoted,
    JSON.stringify(quoted).slice(1, -1),
    ...[url, form, encodeURI(text)].flatMap((encoded) => [encoded, lowerEscapes(encoded)]),
    hex,
    hex.toUpperCase(),
    ...base64Of(text),
  ];
}

function lowerEscapes(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

function base64Of(text: string): string[] {
  const bytes = Buffer.from(text);
  const whole = bytes.toString('base64');
  const forms = [whole, whole.replace(/=+$/, ''), ...[0, 1, 2].map((offset) => within(bytes, offset))];
  const pieces = WRAPS.flatMap((width) => (whole.length > width ? piecesOf(whole, width) : []));
  return [...forms, ...pieces].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** The characters that depend on the secret alone when `offset` (0 to 2) bytes stand before it, and anything behind it. */
function within(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

function piecesOf(text: string, width: number): string[] {
  return Array.from({ length: Math.ceil(text.length / width) }, (_, index) =>
    text.slice(index * width, (index + 1) * width),
  );
}
