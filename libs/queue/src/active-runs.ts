import { classNames } from './classes';
import type { QueueConnection } from './connection';
import type { Flows } from './flows';
import { parseJobId, rootIdOf } from './keys';

/**
 * The runs of plans of a version, as `runId.epoch`, of which somebody holds a job now, or held it until its lock ran out a moment ago. One call
 * for each class: not for hot paths.
 */
export async function activeRuns(queue: QueueConnection, flows: Flows, version: number): Promise<Set<string>> {
  const names = await classNames(queue);
  const lists = await Promise.all(names.map((name) => flows.classQueue(name, version).getRanges(['active'], 0, -1)));
  return new Set(
    lists.flat().flatMap((jobId) => {
      const run = parseJobId(jobId);
      return run === undefined ? [] : [rootIdOf(run)];
    }),
  );
}
