import { LatticeError, isFinalRun, type ScheduleError } from '@lattice/contracts';
import {
  advanceSchedule,
  claimSchedule,
  findTickRun,
  getRunState,
  type ScheduleProgress,
  type Session,
  type StoredSchedule,
} from '@lattice/persistence';
import { dueTicks, nextTick } from '@lattice/schedule';
import { storeRunWithin } from '../admission/store-run';
import type { Runtime } from '../runtime';
import { nudge } from '../submit/nudge';
import { newRunOf, resolveSubmission } from '../submit/submit-run';
import type { Submission } from '../submit/submission';
import type { DocumentCache } from '../workflows/document-cache';
import { submissionOfSchedule } from './submission-of-schedule';

/** Runs made in one transaction; a catch-up of more goes on in the next. */
const RUNS_AT_ONCE = 20;

export interface FireOptions {
  readonly documents: DocumentCache;
  /** Schedules to be left alone. */
  readonly except: readonly string[];
  /** Told which schedule was claimed, so that an error can be told of it. */
  readonly onClaim: (name: string) => void;
}

/**
 * Deals with the schedule that has been due for longest: its runs are stored and its next tick is set in ONE transaction, under a
 * lock that other schedulers pass over, so a tick makes its run once or is still due. False when nothing was due and free.
 */
export async function fireSchedule(runtime: Runtime, options: FireOptions): Promise<boolean> {
  const fired = await runtime.db.transaction(async (session) => {
    const schedule = await claimSchedule(session, options.except);
    if (schedule === undefined) return undefined;
    options.onClaim(schedule.name);
    const { runs, progress } = await makeRuns(runtime, session, { schedule, documents: options.documents });
    await advanceSchedule(session, progress);
    if (runs[0] !== undefined) await runtime.race?.('in-tick', { runId: runs[0] });
    return { schedule, runs, progress };
  });
  if (fired === undefined) return false;
  const { schedule, runs, progress } = fired;
  if (runs[0] !== undefined) {
    await runtime.race?.('after-tick', { runId: runs[0] });
    nudge(runtime);
  }
  say(runtime, schedule, progress);
  return true;
}

interface Made {
  readonly runs: string[];
  readonly progress: ScheduleProgress;
}

async function makeRuns(
  runtime: Runtime,
  session: Session,
  { schedule, documents }: { schedule: StoredSchedule; documents: DocumentCache },
): Promise<Made> {
  const { name, cadence } = schedule;
  const due = dueTicks({ ...schedule, limit: RUNS_AT_ONCE });
  const progress: ScheduleProgress = {
    name,
    handledUntil: due.handledUntil,
    nextAt: nextTick(cadence, due.handledUntil) ?? null,
    missed: due.missed,
    skipped: 0,
    failed: 0,
  };
  const runs: string[] = [];
  if (due.fire.length === 0) return { runs, progress };
  const submission = await submissionOfSchedule(session, schedule, documents);
  let isRunning = schedule.overlap === 'skip' && (await goesOn(runtime, schedule.lastRunId));
  for (const tick of due.fire) {
    if (isRunning) {
      progress.skipped += 1;
      continue;
    }
    const run = await makeRun(runtime, session, { name, tick, submission, documents });
    if (typeof run === 'string') {
      runs.push(run);
      progress.last = { at: tick, runId: run };
      isRunning = schedule.overlap === 'skip';
    } else {
      progress.failed += 1;
      progress.error = { ...run, tick: new Date(tick).toISOString(), at: new Date(schedule.now).toISOString() };
    }
  }
  return { runs, progress };
}

/** The id of the run of a tick, or why it can't be made: the workflow is gone, does not take these inputs, or takes no more runs now. */
async function makeRun(
  runtime: Runtime,
  session: Session,
  {
    name,
    tick,
    submission,
    documents,
  }: { name: string; tick: number; submission: Submission; documents: DocumentCache },
): Promise<string | Pick<ScheduleError, 'code' | 'message'>> {
  const at = new Date(tick).toISOString();
  // Of a schedule that was removed and stored again, with the clock of the database put back in between.
  const known = await findTickRun(session, name, at);
  if (known !== undefined) return known;
  try {
    const resolved = await resolveSubmission(runtime, { submission, documents });
    const run = newRunOf(submission, resolved);
    await storeRunWithin(session, resolved.workflow, { ...run, schedule: { name, tick: at } });
    return run.runId;
  } catch (error) {
    if (error instanceof LatticeError) return { code: error.code, message: messageOf(error) };
    throw error;
  }
}

function messageOf({ message, faults = [] }: LatticeError): string {
  return [message, ...faults.map((fault) => `${fault.pointer}: ${fault.message}`)].join(' ').slice(0, 2_000);
}

async function goesOn(runtime: Runtime, runId: string | null): Promise<boolean> {
  const state = runId === null ? undefined : await getRunState(runtime.db, runId);
  return state !== undefined && !isFinalRun(state.status);
}

function say(runtime: Runtime, { name, catchUp }: StoredSchedule, { missed, failed, error }: ScheduleProgress): void {
  if (missed > 0) runtime.log.warn({ schedule: name, missed, catchUp }, 'a schedule has missed ticks');
  if (failed > 0) runtime.log.warn({ schedule: name, failed, error }, 'ticks of a schedule could make no run');
}
