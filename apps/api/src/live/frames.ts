import { LatticeError, faultsOf, type Problem } from '@lattice/contracts';
import { parseJsonBody } from '@lattice/engine';
import { z } from 'zod';
import { queryId } from '../http/read-query';

/** What a client may send over the socket about a run, and about itself. */
const frameSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('auth'), key: z.string().max(500) }),
  z.strictObject({
    op: z.literal('subscribe'),
    runId: z.string().max(100),
    after: z
      .union([queryId, z.int().min(0).transform(String)])
      .optional()
      .describe('Only events after this id; all when absent.'),
  }),
  z.strictObject({ op: z.literal('unsubscribe'), runId: z.string().max(100) }),
  z.strictObject({ op: z.literal('ping') }),
]);

/** What a client may send about something that is no run: the workers. */
const topicFrameSchema = z.strictObject({
  op: z.enum(['subscribe', 'unsubscribe']),
  topic: z.literal('workers'),
});
export type Frame = z.infer<typeof frameSchema> | z.infer<typeof topicFrameSchema>;

/** The frame in a text; throws `unparsable`, `bad_request`. */
export function readFrame(text: string): Frame {
  const value = parseJsonBody(text);
  const hasTopic = typeof value === 'object' && value !== null && 'topic' in value;
  const parsed = hasTopic ? topicFrameSchema.safeParse(value) : frameSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = faultsOf(parsed.error);
  throw new LatticeError(
    'bad_request',
    `The frame has a fault at ${first?.pointer || 'the top'}: ${first?.message ?? ''}`,
  );
}

/** A frame that tells a client of a fault; about one run when `runId` is given. */
export function errorFrame({ code, detail }: Problem, runId?: string): string {
  return JSON.stringify({ op: 'error', code, detail, ...(runId === undefined ? {} : { runId }) });
}
