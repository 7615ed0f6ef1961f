import type { Request, Response } from 'express';

/**
 * Puts the tag of what a request asks for on its answer, and says whether the client has just that already (`If-None-Match`): then the
 * answer is 304 without a body.
 */
export function isFresh(request: Request, response: Response, tag: string): boolean {
  // Whoever keeps an answer has to ask again each time; nobody keeps it for others.
  response.set({ ...tagHeader(tag), 'Cache-Control': 'private, no-cache', Vary: 'Authorization' });
  const known = readTags(request.headers['if-none-match']) ?? [];
  if (!known.includes('*') && !known.includes(tag)) return false;
  response.status(304);
  return true;
}

/** The header that an answer has the tag in. */
export function tagHeader(tag: string): { ETag: string } {
  return { ETag: `"${tag}"` };
}

/** What `If-Match` and `If-None-Match` ask of what is to be changed; undefined where they do not come. */
export function readTagConditions(request: Request): {
  match: string[] | undefined;
  noneMatch: string[] | undefined;
} {
  return {
    match: readTags(request.headers['if-match']),
    noneMatch: readTags(request.headers['if-none-match']),
  };
}

/**
 * A list of tags without their quotes, or `*`. Proxies that change the encoding make tags weak: that is the same document. What is
 * no tag matches none.
 */
function readTags(header: string | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  return header.split(',').flatMap((one) => {
    const text = one.trim();
    const tag = /^(?:W\/)?"([\x21\x23-\x7e]*)"$/.exec(text)?.[1];
    return tag === undefined || tag === '*' ? (text === '*' ? ['*'] : []) : [tag];
  });
}
