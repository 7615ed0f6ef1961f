import { isFinalRun } from '@lattice/contracts';
import { claimOutbox, nextDue, type OutboxRow } from '@lattice/persistence';
import { createRun, stopRun, type FlowRun } from '@lattice/queue';
import { z } from 'zod';
import { finaliseIfDone } from '../run/finalise';
import type { Compiled } from '../run/plans';
import { firstSegments, release, tellQueued, tellReady } from '../run/release';
import { settleRun } from '../run/stop';
import type { Runtime } from '../runtime';

const BATCH = 100;
/** A row that failed is tried again after so long. */
const LATER_MS = 2_000;
const SWEEP_MS = 1_000;

const cancelSchema = z.object({ reason: z.string().default('') });

/** Sends what is due of the outbox. Returns milliseconds until there may be more. */
export async function sendOutbox(runtime: Runtime): Promise<number> {
  const count = await claimOutbox(runtime.db, BATCH, async (rows) => {
    const done: string[] = [];
    const later: { id: string; delayMs: number }[] = [];
    await Promise.all(
      rows.map(async (row) => {
        try {
          if (await send(runtime, row)) done.push(row.id);
          else later.push({ id: row.id, delayMs: LATER_MS });
        } catch (error) {
          runtime.log.error(
            { err: error, runId: row.runId, kind: row.kind },
            'an outbox row could not be sent; it is tried again',
          );
          later.push({ id: row.id, delayMs: LATER_MS });
        }
        await runtime.race?.('after-outbox-send', { runId: row.runId });
      }),
    );
    return { done, later };
  });
  if (count === BATCH) return 0;
  const due = await nextDue(runtime.db);
  return Math.min(SWEEP_MS, Math.max(due ?? SWEEP_MS, 5));
}

/** True when the row is dealt with. */
async function send(runtime: Runtime, row: OutboxRow): Promise<boolean> {
  if (row.run === null || isFinalRun(row.run.status)) return true;
  switch (row.kind) {
    case 'run':
      return sendRun(runtime, row);
    case 'cancel':
      return sendCancel(runtime, row);
    default:
      throw new Error(`the outbox has a row of an unknown kind: ${row.kind}`);
  }
}

/** Puts a run into Redis: the run hash, then the root job with the first segments. Repeating it changes nothing. */
async function sendRun(runtime: Runtime, row: OutboxRow): Promise<boolean> {
  const stored = row.run;
  if (stored === null || row.document === null) return true;
  const compiled = runtime.plans.of(stored.documentSha, row.document);
  const run: FlowRun = { runId: row.runId, epoch: stored.epoch, priority: stored.priority, sha: stored.documentSha };
  if (!(await create(runtime, run, row, compiled))) return false;
  await runtime.race?.('after-create', { runId: row.runId });
  const { segments, gates } = await firstSegments(runtime, run, compiled);
  await tellQueued(runtime, run, compiled, segments);
  await runtime.flows.addRun(run, compiled.plan, segments);
  await tellReady(runtime, compiled, segments);
  if (gates.length > 0) await release(runtime, { run, compiled, gates, others: 1 });
  if (segments.length === 0) await finaliseIfDone(runtime, run.runId);
  return true;
}

async function create(runtime: Runtime, run: FlowRun, row: OutboxRow, compiled: Compiled): Promise<boolean> {
  const stored = row.run;
  if (stored === null) return false;
  const created: Record<string, unknown> = { workflow: stored.workflow };
  if (stored.version !== null) created['version'] = stored.version;
  const reply = await createRun(runtime.queue, run, {
    sha: run.sha,
    inputsJson: JSON.stringify(stored.inputs),
    tasks: compiled.workflow.tasks.size,
    onFailure: compiled.plan.onFailure,
    priority: run.priority,
    created: JSON.stringify(created),
  });
  return reply !== 'uninitialised';
}

/** Cancels a run. One that never came into Redis (it is delayed) is made there first, so that its end takes the usual road. */
async function sendCancel(runtime: Runtime, row: OutboxRow): Promise<boolean> {
  const stored = row.run;
  if (stored === null) return true;
  const { reason } = cancelSchema.parse(row.payload ?? {});
  let reply = await stopRun(runtime.queue, row.runId, reason);
  if (reply === 'gone' && stored.status === 'pending') {
    const run: FlowRun = { runId: row.runId, epoch: stored.epoch, priority: stored.priority, sha: stored.documentSha };
    if (!(await create(runtime, run, row, await runtime.plans.get(stored.documentSha)))) return false;
    reply = await stopRun(runtime.queue, row.runId, reason);
  }
  if (reply === 'ok') await settleRun(runtime, row.runId);
  return true;
}
