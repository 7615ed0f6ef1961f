import { LatticeError, taskError, type TaskError } from '@lattice/contracts';

/** What stopped an attempt before or beside its work, as its error. Another attempt would meet the same. */
export function faultOf(error: unknown): TaskError {
  if (error instanceof LatticeError) return taskError(error.code, error.message);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return taskError('internal', `the attempt could not be made: ${message}`);
}
