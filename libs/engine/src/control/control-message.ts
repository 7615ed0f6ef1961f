import { z } from 'zod';

const controlSchema = z.union([
  z.object({ stop: z.string() }),
  z.object({ stopAll: z.literal(true) }),
  z.object({ order: z.string() }),
]);

/** A message of the channel `control`: a run to be stopped, all of them (Redis was lost), or a worker that has an order. */
export function readControl(text: string): z.infer<typeof controlSchema> {
  return controlSchema.parse(JSON.parse(text));
}
