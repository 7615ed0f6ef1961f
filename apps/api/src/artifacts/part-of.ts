import type { Request } from 'express';

/** Bytes of an artifact, both ends included. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/**
 * The part that a request asks for; undefined for all of it: without `Range`, with one that is no range of bytes or several, or when
 * `If-Range` names something else than what there is.
 */
export function partOf(request: Request, size: number, tag: string): Part | 'beyond' | undefined {
  const expected = request.headers['if-range'];
  if (request.headers.range === undefined || (expected !== undefined && expected !== tag)) return undefined;
  const ranges = request.range(size);
  if (ranges === -1) return 'beyond';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}
