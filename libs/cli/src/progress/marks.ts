import type { RunStatus, TaskStatus } from '@lattice/contracts';
import type { Colors } from '../terminal';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
/** Milliseconds that a picture of the spinner stands. */
export const SPINNER_MS = 80;

export function spinner(now: number): string {
  return SPINNER[Math.floor(now / SPINNER_MS) % SPINNER.length] ?? '⠋';
}

const MARKS: Record<TaskStatus | RunStatus, string> = {
  pending: '·',
  queued: '○',
  running: '●',
  retrying: '↻',
  waiting: '◌',
  paused: '‖',
  completed: '✔',
  failed: '✖',
  skipped: '↷',
  cancelled: '■',
};

export function markOf(status: TaskStatus | RunStatus): string {
  return MARKS[status];
}

/** The colour of a state, everywhere the same. */
export function paintState(status: TaskStatus | RunStatus, colors: Colors): (text: string) => string {
  switch (status) {
    case 'completed':
      return colors.green;
    case 'failed':
      return colors.red;
    case 'running':
      return colors.cyan;
    case 'retrying':
    case 'cancelled':
    case 'waiting':
    case 'paused':
      return colors.yellow;
    case 'pending':
    case 'queued':
    case 'skipped':
      return colors.dim;
  }
}
