import { isFinalRun, type RunView } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import type { Printer } from './printer';
import { applyEvent, linesOf, newRunState, type RunState } from './run-state';
import { renderWaiting } from './waiting';

export interface Followed {
  /** As the API has it after the last event. */
  run: RunView;
  /** The last log lines of the failed tasks. */
  tails: Map<string, readonly string[]>;
}

export interface FollowOptions {
  client: LatticeClient;
  runId: string;
  printer: Printer;
  signal: AbortSignal;
  /** How the user calls this command: for hints what to type when the run waits for somebody. */
  command?: string | undefined;
  /** What tasks are called, by key; else by their keys. */
  names?: ReadonlyMap<string, string> | undefined;
}

/** Shows a run until it has ended. Rejects with the reason of the signal when that is aborted first. */
export async function follow({ client, runId, printer, signal, command, names }: FollowOptions): Promise<Followed> {
  const view = await client.getRun(runId, { signal });
  const state = newRunState(view, names);
  // What a run that has ended once waited for is of no use to anybody.
  const hints = isFinalRun(view.status) ? undefined : command;
  try {
    for await (const event of client.events(runId, { signal })) {
      applyEvent(state, event);
      printer.event(event, state);
      const waits = hints === undefined ? undefined : renderWaiting(event, hints);
      if (waits !== undefined) printer.note(waits);
    }
  } finally {
    printer.end();
  }
  const run = await finalView(client, runId, signal);
  return { run, tails: await tailsOf(client, run, state, signal) };
}

/** Events are published after they are stored, so the view is final too; the wait is for an API that answers from a copy. */
async function finalView(client: LatticeClient, runId: string, signal: AbortSignal): Promise<RunView> {
  const run = await client.getRun(runId, { signal });
  return isFinalRun(run.status) ? run : await client.wait(runId, { timeout: '5s', signal });
}

const MOST_ASKED = 10;
const TAIL = 10;

/** From the events; where they had none, from the stored log. */
async function tailsOf(
  client: LatticeClient,
  run: RunView,
  state: RunState,
  signal: AbortSignal,
): Promise<Followed['tails']> {
  const tails: Followed['tails'] = new Map();
  const failed = run.tasks.filter(({ status }) => status === 'failed').slice(0, MOST_ASKED);
  for (const { key } of failed) {
    const heard = state.tasks.get(key)?.tail ?? [];
    tails.set(key, heard.length > 0 ? heard : await storedTail(client, run.runId, key, signal));
  }
  return tails;
}

/** A log that cannot be read must not hide the error that the user is waiting for. */
async function storedTail(client: LatticeClient, runId: string, key: string, signal: AbortSignal): Promise<string[]> {
  try {
    return (await client.logs(runId, key, { signal })).flatMap(({ text }) => linesOf(text)).slice(-TAIL);
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}
