import { types } from 'node:util';
import type { Handler } from '@lattice/executor';

/** Under this name and that of the handler is the handler as batches call it. No handler of a user can have it: it is no name. */
export const BATCH_PREFIX = 'batch:';

/** What a handler answered for one member of a batch. */
export type Answer =
  { readonly output: unknown } | { readonly error: { readonly message: string; readonly final: boolean } };

/**
 * Adds, for each handler, the one that batches call: it turns the list that the handler returns into a list of answers. An Error in
 * the list is the failure of that member alone. What is no list is passed on as null.
 */
export function withBatchHandlers(handlers: ReadonlyMap<string, Handler>): Map<string, Handler> {
  const all = new Map(handlers);
  for (const [name, handler] of handlers) {
    all.set(`${BATCH_PREFIX}${name}`, async (inputs, context) => answersOf(await handler(inputs, context)));
  }
  return all;
}

function answersOf(returned: unknown): Answer[] | null {
  if (!Array.isArray(returned)) return null;
  const list: readonly unknown[] = returned;
  return Array.from(list, (item): Answer => {
    if (!isError(item)) return { output: item ?? null };
    return { error: { message: item.message, final: 'retryable' in item && item.retryable === false } };
  });
}

/** Errors of another realm are no instances of ours. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}
