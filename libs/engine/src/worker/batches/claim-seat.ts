import { evaluateTemplate } from '@lattice/expression';
import { readProgress, type Disposal, type Taken } from '@lattice/queue';
import { readScope } from '../../run/scope';
import type { Runtime } from '../../runtime';
import type { Claim } from './lane';
import type { Reservation, ResourceLedger } from '../resource-ledger';

/** A job for whose key there is no room now comes again after so long. */
const AGAIN_MS = 100;

/**
 * Finds the batch for a job that was taken for one: members of a batch have one key, which is known only now. Undefined when the job
 * has its seat; else what is to become of it. Nothing is begun yet, so a job that goes back costs no attempt.
 */
export async function claimSeat(
  runtime: Runtime,
  ledger: ResourceLedger,
  reservation: Reservation,
  taken: Taken,
): Promise<Disposal | undefined> {
  const claim = await claimOf(runtime, taken);
  return ledger.claim(reservation, claim) ? undefined : { do: 'delay', ms: AGAIN_MS };
}

/** What was tried before goes alone: a member that brought down its batch must not bring down another. */
async function claimOf(runtime: Runtime, taken: Taken): Promise<Claim> {
  const compiled = await runtime.plans.get(taken.sha);
  const template = compiled.workflow.tasks.get(taken.taskKey)?.batchKey;
  const [progress] = await readProgress(runtime.queue, taken.runId, [taken.taskKey]);
  if ((progress?.attempt ?? 0) > 0) return { key: `${taken.runId} ${taken.taskKey}`, alone: true };
  if (template === undefined) return { key: '', alone: false };
  if (template.kind === 'constant') return { key: textOf(template.value), alone: false };
  try {
    const run = { runId: taken.runId, document: compiled.workflow.document };
    const references = compiled.workflow.tasks.get(taken.taskKey)?.references.tasks ?? [];
    return { key: textOf(evaluateTemplate(template, await readScope(runtime, run, references))), alone: false };
  } catch {
    // The attempt meets the same fault and tells it.
    return { key: `${taken.runId} ${taken.taskKey}`, alone: true };
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
