import type { ScheduleView } from '@lattice/contracts';
import { deleteSchedule, getScheduleDocument, lockSchedule, moveSchedule, noteScheduleRun } from '@lattice/persistence';
import { storeRunWithin } from '../admission/store-run';
import type { Engine } from '../context';
import { nudge } from '../submit/nudge';
import { newRunOf, resolveSubmission } from '../submit/submit-run';
import type { DocumentCache } from '../workflows/document-cache';
import { goOn, resumedAt } from './save-schedule';
import { noSuchSchedule, viewOf } from './schedule-view';
import { submissionOfSchedule } from './submission-of-schedule';
import { wakeSchedules } from './wake-schedules';

/**
 * Pauses a schedule or lets it go on; one that is so already stays as it is. The ticks of a pause are dropped, except that of a
 * schedule with a single one. Throws `schedule_not_found`.
 */
export async function pauseSchedule(engine: Engine, name: string, paused: boolean): Promise<ScheduleView> {
  const view = await engine.db.transaction(async (session) => {
    const known = await lockSchedule(session, name);
    if (known === undefined) throw noSuchSchedule(name);
    const handledUntil = known.paused && !paused ? resumedAt(known, known.now) : known.handledUntil;
    const place = goOn({ cadence: known.cadence, paused, handledUntil });
    const moved = known.paused === paused ? known : await moveSchedule(session, { name, ...place });
    return viewOf(moved ?? known, await getScheduleDocument(session, name));
  });
  wakeSchedules(engine);
  return view;
}

/**
 * Makes a run of a schedule now, beside its ticks, also when it is paused. Throws `schedule_not_found`, and what a submission of
 * the same workflow and inputs throws.
 */
export async function triggerSchedule(
  engine: Engine,
  { name, documents }: { name: string; documents: DocumentCache },
): Promise<{ runId: string }> {
  const runId = await engine.db.transaction(async (session) => {
    const known = await lockSchedule(session, name);
    if (known === undefined) throw noSuchSchedule(name);
    const submission = await submissionOfSchedule(session, known, documents);
    const resolved = await resolveSubmission(engine, { submission, documents });
    const run = newRunOf(submission, resolved);
    await storeRunWithin(session, resolved.workflow, { ...run, schedule: { name, tick: null } });
    await noteScheduleRun(session, name, run.runId);
    return run.runId;
  });
  nudge(engine);
  return { runId };
}

/** Removes a schedule; its runs stay and go on. Throws `schedule_not_found`. */
export async function removeSchedule(engine: Engine, name: string): Promise<void> {
  if (!(await deleteSchedule(engine.db, name))) throw noSuchSchedule(name);
}
