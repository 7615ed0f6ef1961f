// Functions for `npm run demo:workers`; a worker loads them with LATTICE_HANDLERS=examples/workers/handlers.mjs
import { setTimeout as delay } from 'node:timers/promises';

export const handlers = {
  /** Says which GPUs it was given, after a moment. */
  async place(_input, ctx) {
    await delay(400, undefined, { signal: ctx.signal });
    return { gpus: ctx.gpus };
  },
  /** Works for a while. */
  async work({ ms }, ctx) {
    await delay(ms, undefined, { signal: ctx.signal });
    return { attempt: ctx.attempt };
  },
  /** Done in batches: a list of texts in, a list of their lengths out, each with the size of the batch. */
  embed(texts) {
    return texts.map((text) => ({ length: text.length, batch: texts.length }));
  },
};
