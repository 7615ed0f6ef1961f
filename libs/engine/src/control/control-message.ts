import { z } from 'zod';

const controlSchema = z.union([
  z.object({ stop: z.string() }),
  z.object({ stopAll: z.literal(true) }),
  z.object({ order: z.string() }),
  z.object({ flush: z.object({ handler: z.string().optional(), key: z.string().optional() }) }),
]);

/** A message of the channel `control`: a run to be stopped, all of them (Redis was lost), a worker that has an
 * order, or batches that are to be called now. */
export function readControl(text: string): z.infer<typeof controlSchema> {
  return controlSchema.parse(JSON.parse(text));
}
