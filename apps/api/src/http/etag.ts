import type { Request, Response } from 'express';

/**
 * Puts the tag of what a request asks for on its answer, and says whether the client has just that already (`If-None-Match`): then the
 * answer is 304 without a body.
 */
export function isFresh(request: Request, response: Response, tag: string): boolean {
  // Whoever keeps an answer has to ask again each time; nobody keeps it for others.
  response.set({ ETag: tag, 'Cache-Control': 'private, no-cache', Vary: 'Authorization' });
  if (!has(request.headers['if-none-match'], tag)) return false;
  response.status(304);
  return true;
}

/** A list of tags, or `*`. Proxies that change the encoding make tags weak: that is the same document. */
function has(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => [tag, `W/${tag}`, '*'].includes(one.trim()));
}
