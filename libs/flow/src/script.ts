import {
  fault,
  pointerOf,
  scriptPathFault,
  scriptWithSchema,
  type Fault,
  type SandboxLevel,
  type TaskDocument,
} from '@lattice/contracts';

interface ScriptTask {
  readonly key: string;
  readonly task: TaskDocument;
  /** That the task asks for, or the defaults of the document. */
  readonly level: SandboxLevel | undefined;
}

/** What holds for a script as it is written; a path made by an expression is looked at when it is known. */
export function scriptFaults({ key, task, level }: ScriptTask): Fault[] {
  const read = scriptWithSchema.safeParse(task.with);
  if (!read.success) return [];
  const { path, image } = read.data;
  const faults: Fault[] = [];
  const reason = path.includes('${{') ? undefined : scriptPathFault(path);
  if (reason !== undefined)
    faults.push(fault('bad_value', pointerOf(['tasks', key, 'with', 'path']), `no path of a script: ${reason}`));
  const sandbox = pointerOf(['tasks', key, 'sandbox']);
  if (task.sandbox === 'none')
    faults.push(fault('bad_value', sandbox, 'a script runs at level subprocess or stronger'));
  else if (image !== undefined && task.sandbox !== undefined && task.sandbox !== 'docker')
    faults.push(fault('bad_value', sandbox, `a script with an image runs at level docker, not ${task.sandbox}`));
  if (image === undefined && level === 'docker')
    faults.push(
      fault('missing_field', pointerOf(['tasks', key, 'with']), 'at level docker a script needs an image to run in'),
    );
  return faults;
}

/** A script with an image runs in it, whatever the defaults say; one without at the level asked for. */
export function scriptLevel(body: unknown, asked: SandboxLevel | undefined): SandboxLevel | undefined {
  return typeof body === 'object' && body !== null && 'image' in body ? 'docker' : asked;
}
