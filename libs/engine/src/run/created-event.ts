import type { EventType } from '@lattice/contracts';
import type { StoredRun } from '@lattice/persistence';

/** The first event of a run; `forkedFrom` is the run that it takes results over from. */
export function createdEvent(
  { workflow, version, schedule, tick }: Pick<StoredRun, 'workflow' | 'version' | 'schedule' | 'tick'>,
  forkedFrom?: string,
): { type: EventType; json: string } {
  const created: Record<string, unknown> = { workflow };
  if (version !== null) created['version'] = version;
  if (schedule !== null) created['schedule'] = schedule;
  if (tick !== null) created['tick'] = tick;
  if (forkedFrom !== undefined) created['forkedFrom'] = forkedFrom;
  return { type: 'run.created', json: JSON.stringify(created) };
}
