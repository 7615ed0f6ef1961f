import type { Response } from 'express';

/** A signal that aborts when the client is gone, or the response is complete. */
export function abortOnClose(response: Response): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.once('close', () => controller.abort());
  return controller.signal;
}
