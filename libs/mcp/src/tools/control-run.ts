import { RUN_STATUSES } from '@lattice/contracts';
import { z } from 'zod';
import type { Call, Platform } from '../platform';
import { ADDS, tool, type Hints, type Tool, type ToolContext } from '../tool';
import { runIdArgument } from './arguments';

/** What every tool that changes a run answers with: it is asked for when the answer comes, and done soon after. */
export const askedSchema = z.object({
  runId: z.string(),
  status: z
    .enum(RUN_STATUSES)
    .describe('Of this moment: what was asked for may still be on its way; see wait_for_run.'),
});

/** The run as it is after something was asked of it. */
export async function statusAfter(
  { platform, signal }: ToolContext,
  runId: string,
): Promise<z.input<typeof askedSchema>> {
  const { status } = await platform.getRun(runId, { tasks: false, signal });
  return { runId, status };
}

type Verb = 'cancel' | 'pause' | 'resume' | 'retry';

function control(verb: Verb, described: { title: string; description: string; hints: Hints }): Tool {
  return tool({
    name: `${verb}_run`,
    ...described,
    needs: 'operator',
    input: z.strictObject({ runId: runIdArgument }),
    output: askedSchema,
    run: async ({ runId }, context) => {
      await ask(context.platform, verb, runId, { signal: context.signal });
      return statusAfter(context, runId);
    },
  });
}

function ask(platform: Platform, verb: Verb, runId: string, call: Call): Promise<void> {
  switch (verb) {
    case 'cancel':
      return platform.cancel(runId, call);
    case 'pause':
      return platform.pause(runId, call);
    case 'resume':
      return platform.resume(runId, call);
    case 'retry':
      return platform.retry(runId, call);
  }
}

export const cancelRun = control('cancel', {
  title: 'Cancel a run',
  description:
    'Stops what runs of it and lets nothing more begin. The run is `cancelled` when nothing of it runs any more: wait_for_run tells.',
  hints: { ...ADDS, destructiveHint: true, idempotentHint: true },
});

export const pauseRun = control('pause', {
  title: 'Pause a run',
  description: 'What runs of it goes on to its end; nothing more begins until resume_run.',
  hints: { ...ADDS, openWorldHint: false },
});

export const resumeRun = control('resume', {
  title: 'Resume a run',
  description: 'Lets a paused run go on.',
  hints: ADDS,
});

export const retryRun = control('retry', {
  title: 'Retry a run',
  description:
    'Runs again what did not complete of a run that failed or was cancelled. It keeps its id and the results of completed tasks.',
  hints: ADDS,
});
