import { ApiError, Unreachable } from '@lattice/sdk';
import { LatticeError, type RunStatus } from '@lattice/contracts';
import { BadInput } from './bad-input';

/** What the process ends with. `interrupted` is what shells use for Ctrl-C: the run goes on, so it is none of the others. */
export const EXIT = { completed: 0, failed: 1, badInput: 2, unreachable: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitOfRun(status: RunStatus): ExitCode {
  return status === 'completed' ? EXIT.completed : EXIT.failed;
}

/** A refusal of the API is bad input; a server that cannot answer is as good as unreachable. */
export function exitOfError(error: unknown): ExitCode {
  if (error instanceof BadInput || error instanceof LatticeError) return EXIT.badInput;
  if (error instanceof Unreachable) return EXIT.unreachable;
  if (error instanceof ApiError) return isTheirs(error) ? EXIT.unreachable : EXIT.badInput;
  return EXIT.failed;
}

function isTheirs(error: ApiError): boolean {
  return error.status >= 500 || error.status === 429 || error.code === 'internal';
}
