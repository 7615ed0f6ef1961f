import { isAlive, signal, type ProcessIdentity } from './process-identity';
import { waitUntil } from './wait-until';

/** Signals to send in turn, each with the time to wait for the end before the next; SIGKILL to the group is the last. */
export type StopPlan = readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];

const usualMs = 10_000;

/** SIGINT is Postgres's fast shutdown (sessions end, a checkpoint is written), SIGQUIT its immediate one. */
const postgres: StopPlan = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 3_000 },
];

/** `waitMs`: for what takes longer than others to end in good order. */
export function stopPlan(name: string, waitMs = usualMs): StopPlan {
  return name === 'postgres' ? postgres : [{ signal: 'SIGTERM', waitMs }];
}

/** Ends a process and, if it must be killed, its group. Returns when it is gone. */
export async function stopProcess(identity: ProcessIdentity, plan: StopPlan): Promise<void> {
  for (const step of plan) {
    if (!signal(identity, step.signal)) break;
    const gone = await waitUntil(() => (isAlive(identity) ? undefined : true), { limitMs: step.waitMs });
    if (gone) break;
  }
  killGroup(identity);
  await waitUntil(() => (isAlive(identity) ? undefined : true), { limitMs: 2_000 });
}

/** What is left of the group: also children that outlived their leader. A no-op when there are none. */
export function killGroup(identity: ProcessIdentity): void {
  signal(identity, 'SIGKILL', 'group');
}
