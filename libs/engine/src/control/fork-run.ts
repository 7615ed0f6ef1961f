import { LatticeError, fault, pointerOf, type Fault } from '@lattice/contracts';
import { canonicalJson, checkInputs, fingerprint, type Workflow } from '@lattice/flow';
import { forkRun, getRunBrief, type FoundRun } from '@lattice/persistence';
import { v7 as newRunId } from 'uuid';
import { limitersOfNewRun } from '../admission/limiters';
import type { Engine } from '../context';
import { mustFindWorkflow } from '../read/workflow-of';
import { nudge } from '../submit/nudge';
import type { Submitted } from '../submit/submit-run';
import { reusedTasks } from './what-runs-again';

export interface ForkOptions {
  /** The run to go on from. */
  readonly runId: string;
  /** Tasks from which on everything is done anew. */
  readonly from: readonly string[];
  /** Inputs that differ from those of the run. */
  readonly inputs?: Record<string, unknown> | undefined;
  /** Of who forks; an Idempotency-Key is theirs. */
  readonly apiKeyId: string;
  readonly idempotencyKey?: string | undefined;
}

/** The source may be opened again while it is read; it is then read again. */
const TRIES = 3;

/**
 * Stores a new run that takes over the finished tasks of another, but for those named and all downstream of them. Throws
 * `run_not_found`, `bad_request` (a task that is none), `invalid_inputs` (an input does not fit, a limit has
 * no key with it, or a task that would be reused was made from it), `idempotency_conflict`.
 */
export async function requestFork(engine: Engine, options: ForkOptions): Promise<Submitted> {
  const { runId, from, apiKeyId, idempotencyKey } = options;
  for (let left = TRIES; left > 0; left -= 1) {
    const source = await getRunBrief(engine.db, runId);
    if (source === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
    const { run, times } = source;
    const workflow = await mustFindWorkflow(engine, run.documentSha);
    requireTasks(workflow, run, from);
    const reused = reusedTasks(workflow, times, from);
    const inputs = inputsOf(workflow, run, reused, options.inputs ?? {});
    const forkId = newRunId();
    limitersOfNewRun(workflow, { runId: forkId, inputs });
    const bodySha = fingerprint({ fork: runId, from, inputs: options.inputs ?? {} });
    const forked = await forkRun(engine.db, {
      runId: forkId,
      source: { runId, epoch: run.epoch },
      reused,
      inputs,
      idempotency: idempotencyKey === undefined ? undefined : { key: idempotencyKey, apiKeyId, bodySha },
    });
    switch (forked.status) {
      case 'created':
        nudge(engine);
        return { runId: forked.runId, created: true };
      case 'repeated':
        return { runId: forked.runId, created: false };
      case 'conflict':
        throw new LatticeError(
          'idempotency_conflict',
          `The Idempotency-Key "${idempotencyKey}" stands for a run that was submitted with another body.`,
        );
      case 'changed':
    }
  }
  throw new LatticeError('illegal_transition', `Run ${runId} is being opened again; fork it once more.`);
}

function requireTasks({ tasks }: Workflow, run: Pick<FoundRun, 'runId'>, from: readonly string[]): void {
  const faults = from.flatMap((key, index) =>
    tasks.has(key) ? [] : [fault('bad_value', pointerOf(['from', index]), `run ${run.runId} has no task "${key}"`)],
  );
  if (faults.length > 0) throw new LatticeError('bad_request', 'The fork asked for has faults.', { faults });
}

/** The inputs of the fork, checked; what is reused must not have been made from one that changes. */
function inputsOf(
  workflow: Workflow,
  run: Pick<FoundRun, 'inputs'>,
  reused: readonly string[],
  changes: Record<string, unknown>,
): Record<string, unknown> {
  // What a round was given is no input that its document declares: the round itself, and the inputs of the run around it.
  if (workflow.document.within !== undefined) return inputsOfRound(run, changes);
  const checked = checkInputs(workflow.document, { ...run.inputs, ...changes });
  const stale = staleFaults(workflow, run, reused, changes);
  if (checked.ok && stale.length === 0) return checked.inputs;
  const faults = [...(checked.ok ? [] : checked.faults), ...stale];
  throw new LatticeError('invalid_inputs', 'The fork cannot have these inputs.', { faults });
}

function inputsOfRound(run: Pick<FoundRun, 'inputs'>, changes: Record<string, unknown>): Record<string, unknown> {
  const message = 'a round of a map or loop keeps what it was given: fork the run around it to change an input';
  const faults = Object.keys(changes).map((name) => fault('bad_value', pointerOf(['inputs', name]), message));
  if (faults.length === 0) return run.inputs;
  throw new LatticeError('invalid_inputs', 'The fork cannot have these inputs.', { faults });
}

function staleFaults(
  { tasks }: Workflow,
  run: Pick<FoundRun, 'inputs'>,
  reused: readonly string[],
  changes: Record<string, unknown>,
): Fault[] {
  const changed = Object.entries(changes).filter(
    ([name, value]) => canonicalJson(value) !== canonicalJson(run.inputs[name] ?? null),
  );
  return changed.flatMap(([name]) => {
    const made = reused.filter((key) => {
      const references = tasks.get(key)?.references;
      return references !== undefined && (references.allInputs || references.inputs.has(name));
    });
    if (made.length === 0) return [];
    const few = made
      .slice(0, 5)
      .map((key) => `"${key}"`)
      .join(', ');
    const message = `${made.length === 1 ? `task ${few} is` : `tasks ${few} are`} reused and made from the old value: name ${made.length === 1 ? 'it' : 'them'} in "from"`;
    return [fault('bad_value', pointerOf(['inputs', name]), message)];
  });
}
