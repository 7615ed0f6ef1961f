import type { Readable } from 'node:stream';

/** What became of the bytes that were put. */
export interface Stored {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface PutOptions {
  readonly mediaType: string;
  /** More than so many bytes is refused with `artifacts_too_large`. */
  readonly limitBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions {
  readonly range?: ByteRange | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where artifacts are kept. Keys are made by us (`KEY`), never by a task; an object is written once, whole or not at all.
 * What can't be reached rejects with `artifacts_unavailable`, which another attempt may find mended.
 */
export interface ArtifactStore {
  /** Tells stores apart: what another one holds can't be read here. */
  identity(): Promise<string>;
  /** Stores all that the stream gives. Rejects with nothing stored: on an error of the stream, above the limit, on abort. */
  put(key: string, body: Readable, options: PutOptions): Promise<Stored>;
  /** The bytes of an object; `artifact_not_found` when it is not there. */
  get(key: string, options?: GetOptions): Promise<Readable>;
  /** Removes objects; those that are not there count as removed. */
  remove(keys: readonly string[]): Promise<void>;
  close(): void;
}

const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** The key as it is; throws when it could lead out of the store. */
export function checkKey(key: string): string {
  if (!KEY.test(key)) throw new Error(`not a key of an artifact: ${JSON.stringify(key)}`);
  return key;
}
