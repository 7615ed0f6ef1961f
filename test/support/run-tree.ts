import { z } from 'zod';
import type { TestPlatform } from './platform';

const TREE = `
  with recursive tree as (
    select id, ''::text as path from runs where id = $1
    union all
    select child.id, tree.path || child.parent_task || '[' || child.parent_index || ']/'
    from runs child join tree on child.parent_run_id = tree.id
    join tasks task on task.run_id = tree.id and task.key = child.parent_task and child.parent_from = task.rounds_from
  )
  select tree.path || task.key as unit, task.status, task.attempts from tree join tasks task on task.run_id = tree.id`;

const unitSchema = z.object({ unit: z.string(), status: z.string(), attempts: z.number() });

/** A task of a run or of a run below it, named by the way to it: `each[2]/check`. */
export type Unit = z.infer<typeof unitSchema>;

/** All tasks of a run and of those that its tasks have started, as far as these count. */
export async function unitsOf(platform: TestPlatform, runId: string): Promise<Unit[]> {
  const rows = await platform.engine.db.query(TREE, [runId]);
  return rows.map((row) => unitSchema.parse(row)).sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

/** Ids of the runs that tasks of a run have started, and of those below them. */
export async function runsBelow(platform: TestPlatform, runId: string): Promise<{ id: string; status: string }[]> {
  const rows = await platform.engine.db.query(
    `with recursive tree as (
       select id, status from runs where parent_run_id = $1
       union all
       select child.id, child.status from runs child join tree on child.parent_run_id = tree.id
     ) select id, status from tree`,
    [runId],
  );
  return rows.map((row) => z.object({ id: z.string(), status: z.string() }).parse(row));
}
