import { MAX_TASKS, fault, faultsOf, pointerOf, type Fault } from '@lattice/contracts';
import { z } from 'zod';

/** A task of a file, whichever layout it has. */
export interface WfTask {
  readonly id: string;
  readonly name: string | undefined;
  /** Where it stands in the file. */
  readonly pointer: string;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  readonly inputFiles: readonly unknown[];
  readonly outputFiles: readonly unknown[];
  /** Undefined when none was recorded. */
  readonly runtimeInSeconds: number | undefined;
  /** All else that the file says of it; what the execution says goes before what the specification says. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What was found odd while reading, for the notes. */
export interface Oddities {
  /** The layout of 1.0 to 1.4: `workflow.tasks` or `workflow.jobs`. */
  readonly older: boolean;
  /** `workflow.tasks` or `workflow.jobs` beside a specification. */
  readonly passedOver: number;
  readonly withoutId: number;
  readonly withoutExecution: boolean;
  readonly withoutRecord: readonly string[];
  readonly strayRecords: readonly string[];
  readonly repeatedRecords: readonly string[];
  /** Fields that the specification and the execution both give. */
  readonly overridden: readonly string[];
  readonly negativeRuntimes: number;
}

export interface WfFile {
  readonly name: string;
  readonly description: string | undefined;
  readonly schemaVersion: string | undefined;
  readonly tasks: readonly WfTask[];
  /** Files that are described, with their sizes. */
  readonly files: readonly unknown[];
  readonly machines: number;
  /** Fields beside the tasks, at the three levels of the file. */
  readonly details: {
    readonly file: Readonly<Record<string, unknown>>;
    readonly workflow: Readonly<Record<string, unknown>>;
    readonly execution: Readonly<Record<string, unknown>>;
  };
  readonly oddities: Oddities;
}

const list = z.array(z.unknown()).nullish();

const fileSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  schemaVersion: z.union([z.string(), z.number().transform(String)]).nullish(),
  workflow: z.looseObject({
    specification: z.looseObject({ tasks: z.array(z.unknown()), files: list }).nullish(),
    execution: z.looseObject({ tasks: list, machines: list }).nullish(),
    tasks: list,
    jobs: list,
    machines: list,
  }),
});

/** One fault for a whole list: a hostile list would have millions. */
const references = z
  .custom<readonly string[]>((value) => Array.isArray(value) && value.every((id) => typeof id === 'string'), {
    message: 'expected a list of task ids',
    params: { code: 'bad_type' },
  })
  .nullish();

const taskSchema = z.looseObject({
  id: z.string().min(1).nullish(),
  name: z.string().min(1).nullish(),
  parents: references,
  children: references,
  inputFiles: list,
  outputFiles: list,
  files: list,
  runtimeInSeconds: z.number().nullish(),
  runtime: z.number().nullish(),
});
type TaskFields = z.infer<typeof taskSchema>;

const recordSchema = z.looseObject({ id: z.string(), runtimeInSeconds: z.number().nullish() });
type RecordFields = z.infer<typeof recordSchema>;
/** An execution may record tasks more than once, but not without end. */
const MAX_RECORDS = 10 * MAX_TASKS;

type Read = { readonly ok: true; readonly file: WfFile } | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the shape of a WfFormat file; what its references mean is not looked at. Fields nobody knows are kept as they are. */
export function readFile(value: unknown): Read {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return { ok: false, faults: faultsOf(parsed.error) };
  const { workflow } = parsed.data;
  const found = findTasks(workflow);
  if (found === undefined) {
    return { ok: false, faults: [fault('missing_field', '/workflow/specification', 'missing field "specification"')] };
  }
  const count = countFaults(found, workflow.execution?.tasks?.length ?? 0);
  if (count.length > 0) return { ok: false, faults: count };
  const tasks = z.array(taskSchema).safeParse(found.items);
  const records = z.array(recordSchema).safeParse(workflow.execution?.tasks ?? []);
  const faults = [
    ...(tasks.success ? namelessFaults(tasks.data, found.path) : faultsOf(tasks.error, found.path)),
    ...(records.success ? [] : faultsOf(records.error, ['workflow', 'execution', 'tasks'])),
  ];
  if (!tasks.success || !records.success || faults.length > 0) return { ok: false, faults };
  return { ok: true, file: assemble(parsed.data, found, tasks.data, records.data) };
}

type FileFields = z.infer<typeof fileSchema>;

interface Found {
  readonly items: readonly unknown[];
  readonly path: readonly string[];
}

function findTasks({ specification, tasks, jobs }: FileFields['workflow']): Found | undefined {
  if (!isAbsent(specification)) return { items: specification.tasks, path: ['workflow', 'specification', 'tasks'] };
  if (!isAbsent(tasks)) return { items: tasks, path: ['workflow', 'tasks'] };
  return isAbsent(jobs) ? undefined : { items: jobs, path: ['workflow', 'jobs'] };
}

function countFaults({ items, path }: Found, records: number): Fault[] {
  const pointer = pointerOf(path);
  if (items.length === 0) return [fault('no_tasks', pointer, 'the workflow has no task')];
  if (items.length > MAX_TASKS) {
    return [fault('too_many_tasks', pointer, `the workflow has ${items.length} tasks; ${MAX_TASKS} are the most`)];
  }
  if (records <= MAX_RECORDS) return [];
  const message = `the execution records ${records} tasks; ${MAX_RECORDS} are the most`;
  return [fault('too_many_tasks', '/workflow/execution/tasks', message)];
}

function namelessFaults(tasks: readonly TaskFields[], path: readonly string[]): Fault[] {
  return tasks.flatMap(({ id, name }, index) =>
    isAbsent(id) && isAbsent(name)
      ? [fault('missing_field', pointerOf([...path, index, 'id']), 'a task needs an id')]
      : [],
  );
}

function assemble(
  fields: FileFields,
  found: Found,
  tasks: readonly TaskFields[],
  records: readonly RecordFields[],
): WfFile {
  const { name, description, schemaVersion, workflow, ...file } = fields;
  const { specification, execution, tasks: listed, jobs, ...beside } = workflow;
  const { tasks: _, ...recorded } = execution ?? {};
  const { files, tasks: __, ...specified } = specification ?? {};
  const { byId, repeated } = indexRecords(records);
  const ids = new Set(tasks.map(idOf));
  const read = tasks.map((task, index) => readTask(task, pointerOf([...found.path, index]), byId.get(idOf(task))));
  return {
    name,
    description: description ?? undefined,
    schemaVersion: schemaVersion ?? undefined,
    tasks: read.map(({ task }) => task),
    files: files ?? [],
    machines: (execution?.machines ?? workflow.machines ?? []).length,
    details: { file, workflow: { ...specified, ...beside }, execution: recorded },
    oddities: {
      older: isAbsent(specification),
      passedOver: [specification?.tasks, listed, jobs].filter((other) => !isAbsent(other) && other !== found.items)
        .length,
      withoutId: tasks.filter(({ id }) => isAbsent(id)).length,
      withoutExecution: !isAbsent(specification) && isAbsent(execution?.tasks),
      withoutRecord: records.length === 0 ? [] : [...ids].filter((id) => !byId.has(id)),
      strayRecords: [...byId.keys()].filter((id) => !ids.has(id)),
      repeatedRecords: repeated,
      overridden: [...new Set(read.flatMap(({ overridden }) => overridden))].sort(),
      negativeRuntimes: read.filter(({ negative }) => negative).length,
    },
  };
}

/** Before ids there were unique names. */
function idOf({ id, name }: TaskFields): string {
  return id ?? name ?? '';
}

/** Of several records of one task the last counts. */
function indexRecords(records: readonly RecordFields[]): { byId: Map<string, RecordFields>; repeated: string[] } {
  const byId = new Map<string, RecordFields>();
  const repeated = new Set<string>();
  for (const record of records) {
    if (byId.has(record.id)) repeated.add(record.id);
    byId.set(record.id, record);
  }
  return { byId, repeated: [...repeated] };
}

function readTask(
  task: TaskFields,
  pointer: string,
  record: RecordFields | undefined,
): { task: WfTask; overridden: string[]; negative: boolean } {
  const { id: _, name, parents, children, inputFiles, outputFiles, files, ...specified } = task;
  const { id: __, ...recorded } = record ?? { id: '' };
  const runtime = record?.runtimeInSeconds ?? task.runtimeInSeconds ?? task.runtime ?? undefined;
  const negative = runtime !== undefined && runtime < 0;
  return {
    task: {
      id: idOf(task),
      name: name ?? undefined,
      pointer,
      parents: parents ?? [],
      children: children ?? [],
      inputFiles: inputFiles ?? (files ?? []).filter((file) => linkOf(file) === 'input'),
      outputFiles: outputFiles ?? (files ?? []).filter((file) => linkOf(file) !== 'input'),
      runtimeInSeconds: negative ? undefined : runtime,
      details: { ...specified, ...recorded },
    },
    overridden: Object.keys(recorded).filter((field) => Object.hasOwn(specified, field)),
    negative,
  };
}

/** Older files say of each file of a task whether it is `input` or `output`. */
function linkOf(file: unknown): string | undefined {
  const link = typeof file === 'object' && file !== null && 'link' in file ? file.link : undefined;
  return typeof link === 'string' ? link.toLowerCase() : undefined;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
