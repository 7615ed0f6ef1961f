import { MAX_TASKS, fault, faultsOf, pointerOf, type Fault } from '@lattice/contracts';
import { z } from 'zod';
import { FaultList } from '../fault-list';

const retryPolicySchema = z.looseObject({
  max_attempts: z.int().min(1).max(100).optional(),
  initial_delay: z.number().min(0).optional(),
  max_delay: z.number().min(0).optional(),
  exponential_base: z.number().min(1).max(100).optional(),
  /** What else it may be is told in a note. */
  jitter: z.unknown().optional(),
  retry_on: z.unknown().optional(),
});

const stepSchema = z.looseObject({
  name: z.string().min(1),
  module: z.string().nullish(),
  action: z.string().min(1),
  parameters: z.record(z.string(), z.json()).nullish(),
  dependencies: z.array(z.string()).nullish(),
  /** Conditions are texts; functions can't be in a file. */
  run_if: z.string().nullish(),
  condition: z.string().nullish(),
  required: z.boolean().nullish(),
  /** Seconds. */
  timeout: z.number().positive().nullish(),
  retries: z.int().min(0).max(99).nullish(),
  retry_count: z.int().min(0).nullish(),
  max_retries: z.int().min(0).max(99).nullish(),
  /** Seconds. */
  retry_delay: z.number().min(0).nullish(),
  retry_policy: retryPolicySchema.nullish(),
  tags: z.array(z.string()).nullish(),
});
export type Step = z.infer<typeof stepSchema>;

const fileSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  steps: z.array(z.unknown()).nullish(),
  tasks: z.array(z.unknown()).nullish(),
});

export interface CodomyrmexFile {
  readonly name: string;
  readonly description: string | undefined;
  /** `steps` or `tasks`: where they stand. */
  readonly at: string;
  readonly steps: readonly Step[];
  /** All else at the top. */
  readonly details: Readonly<Record<string, unknown>>;
}

export type ReadFile =
  { readonly ok: true; readonly file: CodomyrmexFile } | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads a workflow of Codomyrmex; all faults together, with pointers into the file. */
export function readSteps(value: unknown): ReadFile {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return { ok: false, faults: faultsOf(parsed.error) };
  const { name, description, steps, tasks, ...details } = parsed.data;
  const at = Array.isArray(steps) ? 'steps' : 'tasks';
  const given = steps ?? tasks;
  const faults = new FaultList();
  if (!Array.isArray(given)) faults.add(fault('missing_field', '/steps', 'missing field "steps" (array)'));
  else if (given.length === 0) faults.add(fault('bad_value', `/${at}`, 'the workflow has no steps'));
  else if (given.length > MAX_TASKS)
    faults.add(fault('bad_value', `/${at}`, `${given.length} steps; ${MAX_TASKS} are the most`));
  const read = (given ?? []).slice(0, MAX_TASKS).flatMap((step, index) => {
    const one = stepSchema.safeParse(step);
    if (!one.success) faults.add(...faultsOf(one.error, [at, index]));
    return one.success ? [one.data] : [];
  });
  if (faults.isEmpty) faults.add(...nameFaults(read, at));
  if (!faults.isEmpty) return { ok: false, faults: faults.toArray() };
  return { ok: true, file: { name, description: description ?? undefined, at, steps: read, details } };
}

function nameFaults(steps: readonly Step[], at: string): Fault[] {
  const first = new Map<string, number>();
  const twice = steps.flatMap(({ name }, index) => {
    const before = first.get(name);
    if (before === undefined) first.set(name, index);
    return before === undefined
      ? []
      : [fault('duplicate', pointerOf([at, index, 'name']), `step "${name}" is there already, as number ${before}`)];
  });
  const unknown = steps.flatMap((step, index) =>
    (step.dependencies ?? []).flatMap((name, place) =>
      first.has(name)
        ? []
        : [
            fault(
              'unknown_dependency',
              pointerOf([at, index, 'dependencies', place]),
              `step "${step.name}" depends on "${name}", which is not in the file`,
            ),
          ],
    ),
  );
  return [...twice, ...unknown];
}
