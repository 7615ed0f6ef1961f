import { taskError, type EventType } from '@lattice/contracts';

/** An entry of the event stream, on its way into history. */
export interface HistoryEntry {
  /** Id in the Redis stream, `ms-seq`. */
  streamId: string;
  type: EventType;
  runId: string;
  /** Epoch of the run. */
  epoch: number;
  taskKey: string | null;
  /** Null where the event is of no attempt (skipped, or cancelled while it waited). */
  attempt: number | null;
  /** Milliseconds since 1970. */
  at: number;
  /** JSON text of the event's data. */
  data: string;
  /** Bytes of an output that is kept in `outputs`; absent or null when the output is in `data`. Of task.completed only. */
  outputBytes?: number | null | undefined;
}

/**
 * What goes into history in place of an entry whose data was refused: the same step without the data, and where the data
 * is, so that a run does not stay open for ever. Undefined for events that are no step (logs, progress).
 */
export function withoutData(entry: HistoryEntry): HistoryEntry | undefined {
  const reason = `The data of this event could not be stored; see faulty_events ${entry.streamId}.`;
  const stand = (data: Record<string, unknown>): HistoryEntry => ({ ...entry, data: JSON.stringify(data) });
  switch (entry.type) {
    case 'task.log':
    case 'task.progress':
      return undefined;
    case 'task.completed':
      return stand({ output: null, refused: reason });
    case 'run.completed':
      return stand({ outputs: null, refused: reason });
    case 'task.failed':
    case 'run.failed':
      return stand({ error: taskError('internal', reason) });
    case 'task.retrying':
      return stand({ delay: 0, error: taskError('internal', reason) });
    case 'run.created':
      return stand({ workflow: '', refused: reason });
    case 'task.started':
      return stand({ workerId: '', refused: reason });
    case 'task.skipped':
    case 'task.cancelled':
    case 'run.cancelled':
    case 'run.recovered':
    case 'task.queued':
      return stand({ reason });
    case 'run.started':
    case 'run.paused':
    case 'run.resumed':
    case 'run.waiting':
      return stand({ refused: reason });
  }
}
