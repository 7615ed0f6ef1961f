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
import { EXAMPLES } from './examples';

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
  // In an answer it is always there; the default is for those who read problems of others.
  Problem: problemSchema.extend({ faults: problemSchema.shape.faults.unwrap() }),
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
  SignalPayload: z.unknown().describe('Any value of JSON.'),
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
const ANY_JSON = 'Any value of JSON.';

/** All named schemas as JSON Schema, for the components of the document. */
export function componentSchemas(): Schemas {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const options = { uri: reference, io: 'input', override: sayDefault } as const;
  const { [SHARED]: shared, ...named } = z.toJSONSchema(registry, options).schemas;
  for (const [name, schema] of Object.entries(shared?.$defs ?? {})) {
    if (!isJson(schema)) throw new Error(`Give the schema that several others use (${name}) a name of its own.`);
  }
  return Object.fromEntries(
    Object.entries(named).map(([name, { $schema: _, $id: __, ...schema }]) => {
      const plain: unknown = JSON.parse(JSON.stringify(schema), (_key, value: unknown) => withoutShared(value));
      return [name, { ...anySchema.parse(plain), ...examplesOf(name) }];
    }),
  );
}

function examplesOf(name: string): { examples?: unknown[] } {
  const example = EXAMPLES[name];
  return example === undefined ? {} : { examples: [example] };
}

/** Some generators take a property that has a default for one that has to be sent; they leave words alone. */
function sayDefault({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.default === undefined) return;
  const said = `Default: ${JSON.stringify(jsonSchema.default)}.`;
  jsonSchema.description = jsonSchema.description === undefined ? said : `${jsonSchema.description} ${said}`;
  delete jsonSchema.default;
}

/** True of the schema of `z.json()`, which refers to itself. */
function isJson(schema: z.core.JSONSchema.BaseSchema): boolean {
  const types = schema.anyOf?.map((branch) => (typeof branch === 'object' ? branch.type : undefined));
  return types?.join() === 'string,number,boolean,null,array,object';
}

/** Of a schema that refers to itself some generators make a type that does not compile; a value of JSON may be anything. */
function withoutShared(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value;
  const { $ref, ...rest } = value;
  return String($ref).startsWith(reference(SHARED)) ? { description: ANY_JSON, ...rest } : value;
}

/** A named schema, to parse with; undefined when there is none of the name. */
export function schemaOf(name: string): z.ZodType | undefined {
  return new Map<string, z.ZodType>(Object.entries(SCHEMAS)).get(name);
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
