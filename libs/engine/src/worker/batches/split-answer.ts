import { taskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { z } from 'zod';

const answersSchema = z.array(
  z.union([
    z.object({ output: z.unknown() }),
    z.object({ error: z.object({ message: z.string(), final: z.boolean() }) }),
  ]),
);

/**
 * The outcomes of the members of a batch, in their order. A batch that failed has failed for each of them; an answer of another
 * length than the batch is an error of all, for nobody knows which output is whose.
 */
export function splitAnswer(outcome: Outcome, count: number, maxOutput: number): Outcome[] {
  if (outcome.status !== 'completed') return new Array<Outcome>(count).fill(outcome);
  const parsed = answersSchema.safeParse(JSON.parse(outcome.outputJson));
  if (!parsed.success || parsed.data.length !== count) {
    const got = parsed.success ? `a list of ${parsed.data.length}` : 'no list';
    const error = taskError('batch_mismatch', `the handler got a batch of ${count} inputs and returned ${got}`);
    return new Array<Outcome>(count).fill({ status: 'failed', error });
  }
  return parsed.data.map((answer): Outcome => {
    if ('error' in answer) {
      const { message, final } = answer.error;
      return { status: 'failed', error: taskError('task_failed', message, final ? { retryable: false } : {}) };
    }
    const outputJson = JSON.stringify(answer.output);
    const bytes = Buffer.byteLength(outputJson);
    if (bytes <= maxOutput) return { status: 'completed', outputJson };
    const message = `the output has ${bytes} bytes, ${maxOutput} are the most`;
    return { status: 'failed', error: taskError('output_too_large', message) };
  });
}
