import { readProgress } from '@lattice/queue';
import type { Compiled } from '../run/plans';
import type { Runtime } from '../runtime';

/** So many begun tasks of a run are looked at. */
const MOST = 200;

/**
 * Whether a task of the run was begun and has not ended, while the job that it belongs to is acknowledged or gone: nobody will
 * go on with it. For runs that were quiet for long.
 */
export async function hasLostJob(
  runtime: Runtime,
  run: { runId: string; epoch: number },
  { jobs }: Compiled,
): Promise<boolean> {
  const tasks = [...jobs.values()].flatMap(({ job }) => job.tasks.map((key) => ({ key, job })));
  const begun = async (some: typeof tasks): Promise<typeof tasks> => {
    const progress = await readProgress(
      runtime.queue,
      run.runId,
      some.map(({ key }) => key),
    );
    return some.filter((_, at) => progress[at]?.ended === false && progress[at].live !== '');
  };
  const suspects: typeof tasks = [];
  for (const task of (await begun(tasks)).slice(0, MOST)) {
    if (!(await runtime.flows.holdsJob(run, task.job))) suspects.push(task);
  }
  // A job is acknowledged after the record: what has ended by now was no loss.
  return (await begun(suspects)).length > 0;
}
