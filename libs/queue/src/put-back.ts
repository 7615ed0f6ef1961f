import { ErrorCode, type Job } from 'bullmq';

const NOT_ASIDE: readonly unknown[] = [ErrorCode.JobNotExist, ErrorCode.JobNotInState];

/** Puts a job that was put aside back into its queue. False when it is not aside: its time came, or somebody was quicker. */
export async function putBack(job: Pick<Job, 'promote'>): Promise<boolean> {
  try {
    await job.promote();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_ASIDE.includes(error.code)) return false;
    throw error;
  }
}
