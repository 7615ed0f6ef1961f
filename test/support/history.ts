import { isFinalEvent, isFinalTask, type RunEvent, type RunView } from '@lattice/contracts';

/**
 * Faults of a history: what may not be so, whatever happened to the processes. Empty when run.created and run.started come
 * first (a run that was stopped before its time did not start, and no task of it did), the end of the run last and once, each task ends once, its attempts follow each other with a reason for each new
 * one, and the rows of Postgres say the same.
 */
export function faultsOfHistory(run: RunView, events: readonly RunEvent[]): string[] {
  const faults: string[] = [];
  const types = events.map(({ type }) => type);
  const begun = types[1] === 'run.started';
  const stoppedBefore = !types.some((type) => type === 'run.started' || type === 'task.started');
  if (types[0] !== 'run.created' || !(begun || (stoppedBefore && run.startedAt === null)))
    faults.push(`begins with ${types.slice(0, 2).join(', ')}`);
  const finals = types.filter(isFinalEvent);
  if (finals.length !== 1 || types.at(-1) !== finals[0]) faults.push(`ends with ${types.slice(-3).join(', ')}`);
  if (types.at(-1) !== `run.${run.status}`)
    faults.push(`the row of the run says ${run.status}, history ${types.at(-1) ?? ''}`);
  const ids = events.map(({ id }) => BigInt(id));
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? 0n))) faults.push('ids do not rise');
  for (const task of run.tasks) {
    const own = events.filter(({ taskKey, type }) => taskKey === task.key || type === 'run.recovered');
    faults.push(...faultsOfTask(task, own).map((fault) => `${task.key}: ${fault} (${own.map(brief).join(' ')})`));
  }
  return faults;
}

function brief({ type, attempt }: RunEvent): string {
  return attempt === null ? type : `${type}#${attempt}`;
}

function faultsOfTask(task: RunView['tasks'][number], events: readonly RunEvent[]): string[] {
  const faults: string[] = [];
  let attempts = 0;
  let state = 'pending';
  for (const { type, attempt, data } of events) {
    switch (type) {
      case 'run.recovered':
        // What had not ended begins anew; only a move to another version leaves alone what goes on.
        if (state === 'queued' || state === 'retrying') state = 'pending';
        if (state === 'running' && data['reason'] !== 'upgraded') state = 'pending';
        break;
      case 'task.queued':
        if (state !== 'pending') faults.push(`queued after ${state}`);
        state = 'queued';
        break;
      case 'task.started':
        if (!['pending', 'queued', 'retrying'].includes(state)) faults.push(`started after ${state}`);
        attempts += 1;
        if (attempt !== attempts) faults.push(`attempt ${attempt} is the start number ${attempts}`);
        state = 'running';
        break;
      case 'task.retrying':
        if (state !== 'running' || attempt !== attempts) faults.push(`retrying after ${state}`);
        state = 'retrying';
        break;
      case 'task.log':
      case 'task.progress':
        if (state !== 'running') faults.push(`${type} after ${state}`);
        break;
      case 'task.completed':
        if (state !== 'running' || attempt !== attempts) faults.push(`completed after ${state}`);
        state = 'completed';
        break;
      default:
        if (['completed', 'failed', 'skipped', 'cancelled'].includes(state)) faults.push(`${type} after ${state}`);
        state = type.slice('task.'.length);
    }
  }
  if (state !== task.status) faults.push(`the row says ${task.status}, history ${state}`);
  if (!isFinalTask(task.status)) faults.push(`is ${task.status}`);
  if (task.attempts !== attempts) faults.push(`the row says ${task.attempts} attempts, history ${attempts}`);
  return faults;
}
