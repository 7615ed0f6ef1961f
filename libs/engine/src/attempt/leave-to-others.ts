import { readHead, type Disposal, type Taken } from '@lattice/queue';
import { settleJob } from '../run/stop';
import type { AttemptContext } from './execute';

/**
 * What becomes of a job that goes by a plan of another version than this process makes: it comes again later, for others or once its run
 * was moved on. A job of an epoch that is over goes.
 */
export async function leaveToOthers({ runtime }: AttemptContext, taken: Taken): Promise<Disposal> {
  const { runId, epoch, taskKey } = taken;
  const head = await readHead(runtime.queue, runId);
  if (head?.epoch !== epoch) return { do: 'acknowledge' };
  switch (head.state) {
    case 'final':
      return { do: 'acknowledge' };
    case 'cancelling':
    case 'failing': {
      // How long the chain of the job is only its own version knows: what this one takes for it is stopped, the rest by and by.
      const { jobs } = await runtime.plans.get(taken.sha);
      await settleJob(runtime, { runId, epoch }, jobs.get(taskKey)?.job.tasks ?? [taskKey]);
      return { do: 'acknowledge' };
    }
    default:
      return runtime.pin.putOff(taken, taken.plan);
  }
}
