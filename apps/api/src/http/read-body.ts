import { LatticeError } from '@lattice/contracts';
import { raw, type Request, type RequestHandler, type Response } from 'express';

/** A body may hold this many bytes, after decompression. */
const BODY_LIMIT = 8 * 1_048_576;
/** A file to be imported is larger than the document it becomes: recorded runs of ten thousand tasks take some 30 MiB. */
const LARGE_LIMIT = 64 * 1_048_576;

export type BodyFormat = 'json' | 'yaml';

export interface TextBody {
  readonly text: string;
  readonly format: BodyFormat;
}

/** What anybody may send without a key. */
const FORM_LIMIT = 16_384;

const readRaw = raw({ type: () => true, limit: BODY_LIMIT });
const readRawLarge = raw({ type: () => true, limit: LARGE_LIMIT });
const readRawForm = raw({ type: () => true, limit: FORM_LIMIT });
const JSON_TYPE = /^application\/(json|[a-z0-9.+-]+\+json)$/;
const YAML_TYPE = /^(application|text)\/(yaml|x-yaml|[a-z0-9.+-]+\+yaml)$/;

/**
 * The body of a request as text, with the format that its Content-Type names. It is read when a handler asks for it and not
 * before: a request that is refused for another reason costs nothing.
 * Throws `unsupported_media_type`, `payload_too_large`, `unparsable` (not UTF-8, or empty), `bad_request` (cut off).
 */
export async function readBody(request: Request, response: Response): Promise<TextBody> {
  const format = formatOf(request);
  return { text: await readText(request, response, readRaw), format };
}

/** True when the request comes with a body. */
export function hasBody(request: Request): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** The body of a request that has to be JSON. */
export async function readJsonText(request: Request, response: Response): Promise<string> {
  requireJson(request);
  return readText(request, response, readRaw);
}

/** {@link readJsonText} for a file of another system, which may be larger. */
export async function readLargeJsonText(request: Request, response: Response): Promise<string> {
  requireJson(request);
  return readText(request, response, readRawLarge);
}

/** True when the Content-Type names YAML. */
export function isYaml(request: Request): boolean {
  return formatOf(request) === 'yaml';
}

function requireJson(request: Request): void {
  if (formatOf(request) === 'json') return;
  throw new LatticeError('unsupported_media_type', 'Send application/json here.');
}

/** The fields of a small HTML form. */
export async function readForm(request: Request, response: Response): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(request, response, readRawForm));
}

async function readText(request: Request, response: Response, read: RequestHandler): Promise<string> {
  const bytes = await new Promise<unknown>((resolve, reject) => {
    void read(request, response, (error?: unknown) => {
      if (error === undefined || error === null) resolve(request.body);
      else reject(bodyError(error));
    });
  });
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new LatticeError('unparsable', 'The body is empty.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LatticeError('unparsable', 'The body is not UTF-8.', { cause });
  }
}

function formatOf(request: Request): BodyFormat {
  const header = request.headers['content-type'] ?? '';
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset.replaceAll('"', ''))) {
    throw new LatticeError('unsupported_media_type', `Send UTF-8, not ${charset}.`);
  }
  if (JSON_TYPE.test(type)) return 'json';
  if (YAML_TYPE.test(type)) return 'yaml';
  throw new LatticeError(
    'unsupported_media_type',
    `Content-Type is ${type === '' ? 'missing' : type}; send application/json or application/yaml.`,
  );
}

/** Errors of the body reader carry a `type`. */
function bodyError(error: unknown): LatticeError {
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  switch (type) {
    case 'entity.too.large':
      return new LatticeError('payload_too_large', `The body is too large; ${limitOf(error)} are the most.`);
    case 'encoding.unsupported':
      return new LatticeError('unsupported_media_type', 'The Content-Encoding is not one of gzip, deflate, br.');
    case 'request.aborted':
    case 'request.size.invalid':
      return new LatticeError('bad_request', 'The body ended before its Content-Length.');
    default:
      // What is left is a body that can't be decompressed, or a socket that broke.
      return new LatticeError('bad_request', 'The body could not be read.', { cause: error });
  }
}

/** The limit that a body went beyond, in words. */
function limitOf(error: unknown): string {
  const limit = typeof error === 'object' && error !== null && 'limit' in error ? error.limit : undefined;
  const bytes = typeof limit === 'number' ? limit : BODY_LIMIT;
  return bytes < 1_048_576 ? `${bytes / 1_024} KiB` : `${bytes / 1_048_576} MiB`;
}
