import {
  artifactListSchema,
  createKeySchema,
  createdKeySchema,
  keyListSchema,
  keyViewSchema,
  clearedSchema,
  documentSchema,
  drainSchema,
  flushSchema,
  eventSchema,
  forkRunSchema,
  logEntrySchema,
  pendingBatchSchema,
  problemSchema,
  putSecretSchema,
  rerunTaskSchema,
  rotatedSecretsSchema,
  runListSchema,
  runLogPageSchema,
  runReportSchema,
  runSummarySchema,
  runViewSchema,
  savedWorkflowSchema,
  scheduleListSchema,
  schedulePatchSchema,
  scheduleSchema,
  scheduleSummarySchema,
  scheduleViewSchema,
  secretListSchema,
  secretViewSchema,
  submitRunSchema,
  submittedSchema,
  taskErrorSchema,
  taskViewSchema,
  ticksSchema,
  timingSchema,
  validationSchema,
  workerOrderedSchema,
  workerViewSchema,
  workflowListSchema,
} from '@lattice/contracts';
import { importedSchema } from '@lattice/engine';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** The shapes that the documentation names: the same schemas that the code parses with. */
const SCHEMAS = {
  ArtifactList: artifactListSchema,
  BatchList: z.object({ batches: z.array(pendingBatchSchema.extend({ workerId: z.string() })) }),
  Cleared: clearedSchema,
  CreateKey: createKeySchema,
  CreatedKey: createdKeySchema,
  Drain: drainSchema,
  Flush: flushSchema,
  ForkRun: forkRunSchema,
  Health: z.object({ status: z.literal('ok') }),
  Imported: importedSchema,
  JsonSchema: z.record(z.string(), z.unknown()),
  Key: keyViewSchema,
  KeyList: keyListSchema,
  LogEntry: logEntrySchema,
  LogPage: z.object({ logs: z.array(logEntrySchema), next: z.string().nullable() }),
  McpAnswer: z.object({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string(), z.int()]).optional(),
    result: z.record(z.string(), z.unknown()).optional(),
    error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }).optional(),
  }),
  McpMessage: z.object({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string(), z.int()]).optional(),
    method: z.string().optional(),
    params: z.record(z.string(), z.unknown()).optional(),
  }),
  Problem: problemSchema,
  PutSecret: putSecretSchema,
  RerunTask: rerunTaskSchema,
  RotatedSecrets: rotatedSecretsSchema,
  Readiness: z.object({
    status: z.literal('ok'),
    services: z.array(z.object({ service: z.enum(['postgres', 'redis']), ok: z.boolean(), took: z.number() })),
  }),
  RunEvent: eventSchema,
  RunList: runListSchema,
  RunLogPage: runLogPageSchema,
  RunReport: runReportSchema,
  RunSummary: runSummarySchema,
  RunView: runViewSchema,
  SavedWorkflow: savedWorkflowSchema,
  Schedule: scheduleSchema,
  ScheduleList: scheduleListSchema,
  SchedulePatch: schedulePatchSchema,
  ScheduleSummary: scheduleSummarySchema,
  ScheduleView: scheduleViewSchema,
  SecretList: secretListSchema,
  SecretView: secretViewSchema,
  SignalPayload: z.json(),
  SubmitRun: submitRunSchema,
  Submitted: submittedSchema,
  TaskError: taskErrorSchema,
  TaskView: taskViewSchema,
  Ticks: ticksSchema,
  Timing: timingSchema,
  Validation: validationSchema,
  WorkerList: z.object({ workers: z.array(workerViewSchema) }),
  WorkerOrdered: workerOrderedSchema,
  WorkerView: workerViewSchema,
  WorkflowDocument: documentSchema,
  WorkflowList: workflowListSchema,
} as const satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof SCHEMAS;

const reference = (name: string) => `#/components/schemas/${name}`;
/** OpenAPI 3.1 takes JSON Schema as it is, but the types of the documentation library know only part of it. */
const anySchema = z.custom<Exclude<Schemas[string], { $ref: string }>>((value) => typeof value === 'object');

/** What zod names the place of schemas that are used by several others and have no name. */
const SHARED = '__shared';

/** All named schemas as JSON Schema, for the components of the document. */
export function componentSchemas(): Schemas {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { [SHARED]: shared, ...named } = z.toJSONSchema(registry, { uri: reference, io: 'input' }).schemas;
  const all = [
    ...Object.entries(named),
    ...Object.entries(shared?.$defs ?? {}).map(([name, schema]) => [`Shared_${name}`, schema] as const),
  ];
  return Object.fromEntries(
    all.map(([name, { $schema: _, $id: __, ...schema }]) => {
      // Zod refers to a shared schema within its place; here each is a component of its own.
      const text = JSON.stringify(schema).replaceAll(`${reference(SHARED)}#/$defs/`, reference('Shared_'));
      return [name, anySchema.parse(JSON.parse(text))];
    }),
  );
}

/** A reference to a named schema. */
export function refTo(name: SchemaName): { $ref: string } {
  return { $ref: reference(name) };
}

/** How a parameter is documented: what is sent, not what it is turned into. */
export function parameterOf(field: z.core.$ZodType): {
  required: boolean;
  description?: string;
  schema: Exclude<Schemas[string], { $ref: string }>;
} {
  const json = z.toJSONSchema(z.object({ field }), { io: 'input', unrepresentable: 'any' });
  const required = json.required?.includes('field') ?? false;
  const property = json.properties?.['field'];
  if (typeof property !== 'object') return { required, schema: {} };
  const { description, pattern, ...rest } = property;
  // An integer of a query comes as text; the pattern of that text is of no use to who reads the documentation.
  const schema = pattern === undefined || rest.type === 'integer' ? rest : { ...rest, pattern };
  return { required, schema: anySchema.parse(schema), ...(description === undefined ? {} : { description }) };
}
