import { outcomeOfThrown } from '../outcome';
import type { Execution, Outcome } from '../port';
import { outcomeOfStop, type Stop } from '../stop';
import type { Workspace } from '../workspace';
import { collectFiles } from './collect';

/** Gives a task the files that it asks for. A stop ends that; what is thrown then is of no account. */
export async function giveFilesOf(job: { execution: Execution; stop: Stop }, workspace: Workspace): Promise<void> {
  const { execution, stop } = job;
  if (execution.files === undefined) return;
  await workspace.giveFiles(execution, signalOf(stop));
}

function signalOf(stop: Stop): AbortSignal {
  const controller = new AbortController();
  void stop.requested.then((cause) => controller.abort(cause));
  return controller.signal;
}

/** Keeps what a task that completed has left; nothing of the task may run any more. */
export async function withArtifacts(
  outcome: Outcome,
  job: { execution: Execution; workspace: Workspace; stop: Stop },
): Promise<Outcome> {
  const { artifacts } = job.execution;
  if (outcome.status !== 'completed' || artifacts === undefined) return outcome;
  const { stop } = job;
  try {
    const files = await collectFiles(job.workspace.artifacts, artifacts);
    if (files.length === 0) return outcome;
    return { ...outcome, artifacts: await artifacts.keep(files, signalOf(stop)) };
  } catch (error) {
    return stop.cause === undefined ? outcomeOfThrown(error) : outcomeOfStop(stop.cause);
  }
}
