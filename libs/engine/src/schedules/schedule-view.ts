import {
  LatticeError,
  type Cadence,
  type ScheduleSummary,
  type ScheduleView,
  type WorkflowDocument,
} from '@lattice/contracts';
import type { StoredSchedule } from '@lattice/persistence';

/** A schedule as the API shows it. */
export function viewOf(schedule: StoredSchedule, document: WorkflowDocument | null | undefined): ScheduleView {
  return { ...summaryOf(schedule), inputs: schedule.inputs, document: document ?? null };
}

/** A schedule as lists show it. */
export function summaryOf(schedule: StoredSchedule): ScheduleSummary {
  return {
    name: schedule.name,
    workflow: schedule.workflow,
    version: schedule.version,
    priority: schedule.priority,
    tags: schedule.tags,
    ...timingOf(schedule.cadence),
    catchUp: schedule.catchUp,
    overlap: schedule.overlap,
    paused: schedule.paused,
    nextAt: schedule.nextAt === null ? null : new Date(schedule.nextAt).toISOString(),
    lastAt: schedule.lastAt,
    lastRunId: schedule.lastRunId,
    missed: schedule.missed,
    skipped: schedule.skipped,
    failed: schedule.failed,
    lastError: schedule.lastError,
    createdAt: schedule.createdAt,
    updatedAt: schedule.updatedAt,
  };
}

type Timing = Pick<ScheduleSummary, 'cron' | 'timezone' | 'every' | 'startAt' | 'at'>;

function timingOf(cadence: Cadence): Timing {
  const none: Timing = { cron: null, timezone: null, every: null, startAt: null, at: null };
  switch (cadence.kind) {
    case 'cron':
      return { ...none, cron: cadence.cron, timezone: cadence.timezone };
    case 'every':
      return { ...none, every: cadence.every, startAt: cadence.startAt ?? null };
    case 'at':
      return { ...none, at: cadence.at };
  }
}

export function noSuchSchedule(name: string): LatticeError {
  return new LatticeError('schedule_not_found', `There is no schedule ${JSON.stringify(name)}.`);
}
