import {
  LatticeError,
  fault,
  faultsOf,
  scheduleSchema,
  timingSchema,
  type Cadence,
  type CatchUp,
  type Fault,
  type Overlap,
} from '@lattice/contracts';
import { readTiming } from '@lattice/schedule';
import type { Engine } from '../context';
import { resolveSubmission, type Resolved } from '../submit/submit-run';
import { submissionOf, type Submission } from '../submit/submission';
import type { DocumentCache } from '../workflows/document-cache';

/** A body of POST /v1/schedules that has no fault. */
export interface ReadSchedule {
  readonly name: string;
  readonly cadence: Cadence;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;
  /** Undefined when the body says nothing of it. */
  readonly paused: boolean | undefined;
  readonly submission: Submission;
  readonly resolved: Resolved;
}

const ownSchema = scheduleSchema.omit({ workflow: true, version: true, inputs: true, priority: true, tags: true });
const SUBMISSION_FIELDS = new Set(['version', 'inputs', 'priority', 'tags']);
const TIMING_FIELDS = new Set(Object.keys(timingSchema.shape));

/**
 * Reads a body as a schedule; its workflow has to be there and to take the inputs. Throws `invalid_schedule` with all faults.
 * `now` is the time of the database, in milliseconds since 1970.
 */
export async function readScheduleBody(
  engine: Engine,
  { body, documents, now }: { body: Record<string, unknown>; documents: DocumentCache; now: number },
): Promise<ReadSchedule> {
  const { workflow, ...rest } = body;
  const own = ownSchema.safeParse(pick(rest, (field) => !SUBMISSION_FIELDS.has(field)));
  const timing = timingSchema.safeParse(pick(rest, (field) => TIMING_FIELDS.has(field)));
  const read = timing.success ? readTiming(timing.data, now) : undefined;
  const asked = pick(rest, (field) => SUBMISSION_FIELDS.has(field));
  const run = await readRun(engine, { workflow, fields: asked, documents });
  const faults = [
    ...(own.success ? [] : faultsOf(own.error)),
    ...(read === undefined || read.ok ? [] : read.faults),
    ...(run.ok ? [] : run.faults),
  ];
  if (faults.length > 0 || !own.success || read?.ok !== true || !run.ok) throw invalidSchedule(faults);
  const { name, catchUp = 'last', overlap = 'allow', paused } = own.data;
  const { submission, resolved } = run;
  return { name, cadence: read.cadence, catchUp, overlap, paused, submission, resolved };
}

type ReadRun =
  | { readonly ok: true; readonly submission: Submission; readonly resolved: Resolved }
  | { readonly ok: false; readonly faults: readonly Fault[] };

async function readRun(
  engine: Engine,
  { workflow, fields, documents }: { workflow: unknown; fields: object; documents: DocumentCache },
): Promise<ReadRun> {
  const submission = submissionOf(workflow ?? '', fields, documents);
  if (workflow === undefined) {
    const missing = fault(
      'missing_field',
      '/workflow',
      'missing field "workflow": the name of a saved one, or a document',
    );
    return { ok: false, faults: [missing, ...submission.faults.filter(({ pointer }) => pointer !== '/workflow')] };
  }
  try {
    return { ok: true, submission, resolved: await resolveSubmission(engine, { submission, documents }) };
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    return { ok: false, faults: error.faults ?? [fault(error.code, '/workflow', error.message), ...submission.faults] };
  }
}

/** The error for a schedule with faults. */
export function invalidSchedule(faults: readonly Fault[]): LatticeError {
  const [first] = faults;
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  const detail = first === undefined ? '' : ` At ${first.pointer === '' ? 'the top' : first.pointer}: ${first.message}`;
  return new LatticeError('invalid_schedule', `The schedule has ${count}.${detail}`, { faults });
}

function pick(fields: Record<string, unknown>, wanted: (field: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => wanted(field)));
}
