/** The body of an answer: JSON where its content type says so, else text; bytes that are no text as base64. */
export type ReadBody =
  | { readonly kind: 'body'; readonly body: unknown; readonly encoding?: 'base64' }
  /** More bytes than allowed; the rest was not read. */
  | { readonly kind: 'large' };

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
const CHARSET = /charset="?([\w-]+)"?/i;

/** Reads the body of an answer, `maxBytes` of it at most. `onChunk` is called as it comes in. */
export async function readBody(response: Response, maxBytes: number, onChunk: () => void): Promise<ReadBody> {
  const bytes = await readBytes(response, maxBytes, onChunk);
  if (bytes === undefined) return { kind: 'large' };
  const type = response.headers.get('content-type') ?? '';
  const text = decode(bytes, CHARSET.exec(type)?.[1] ?? 'utf-8');
  if (text === undefined) return { kind: 'body', body: bytes.toString('base64'), encoding: 'base64' };
  if (!JSON_TYPE.test(type)) return { kind: 'body', body: text };
  try {
    return { kind: 'body', body: JSON.parse(text) };
  } catch {
    // It says JSON and is none: what came is given as it came.
    return { kind: 'body', body: text };
  }
}

async function readBytes(response: Response, maxBytes: number, onChunk: () => void): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: ReadableStream<Uint8Array> | null = response.body;
  // Leaving the loop early ends the connection.
  for await (const chunk of body ?? []) {
    onChunk();
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined when the bytes are no text of this charset, or the charset is not known. */
function decode(bytes: Buffer, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
