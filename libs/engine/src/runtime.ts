import type { Flows } from '@lattice/queue';
import type { Engine } from './context';
import type { Pin } from './run/pin';
import type { PlanCache } from './run/plans';

/**
 * Named points at which a process may die with the most to lose. Tests hook them; each has a test that the run ends right.
 * after-begin: the attempt is begun, nothing is done. after-record: the result stands, what it opens is not added.
 * after-release: what it opens is added, the job is not acknowledged. before-acknowledge: all is done but the acknowledgement.
 * after-outbox-send: the run is in Redis, its outbox row still stands. after-flush: events are in Postgres, not trimmed.
 * after-upload: the artifacts of an attempt are in the store, the attempt is not recorded.
 * after-move: the run is of another version and epoch, nothing of it is in the queues.
 * before-children: a task is about to start runs. after-children: they are stored, what became of its own run meanwhile is not looked at.
 * before-park: the job of a paused run is noted for its resume, and not put aside yet.
 * after-resume: a run goes on in Redis, what it has started is paused still and its jobs are aside.
 * in-tick: the run of a tick of a schedule is inserted, not committed. after-tick: it is committed, no scheduler was told.
 */
export type RacePoint =
  | 'after-begin'
  | 'after-record'
  | 'after-release'
  | 'before-acknowledge'
  | 'after-create'
  | 'after-outbox-send'
  | 'after-flush'
  | 'after-upload'
  | 'after-move'
  | 'before-made-again'
  | 'before-children'
  | 'after-children'
  | 'before-park'
  | 'after-resume'
  | 'in-tick'
  | 'after-tick';

/** What the scheduler and the workers have beside the stores: flows, plans, and in tests a hook on race points. */
export interface Runtime extends Engine {
  readonly flows: Flows;
  readonly plans: PlanCache;
  readonly pin: Pin;
  readonly race?: ((point: RacePoint, about: { runId: string; taskKey?: string }) => Promise<void>) | undefined;
}
