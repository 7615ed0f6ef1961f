import {
  fault,
  faultsOf,
  loopWithSchema,
  mapWithSchema,
  parseDuration,
  pointerOf,
  switchWithSchema,
  waitWithSchema,
  type ControlKind,
  type Fault,
  type OnFailure,
  type TaskDocument,
  type WorkflowDocument,
} from '@lattice/contracts';
import { mergeReferences, templateReferences, type References, type Template } from '@lattice/expression';
import type { z } from 'zod';
import { readBody, type Body, type Examine } from './body';
import type { WorkflowName } from './kinds';
import { objectOf, salvage } from './salvage';
import { listOf, readCondition, readTemplate } from './task-parts';

/** What a scheduler does for a task that holds no worker. */
export type ControlStep =
  | { readonly kind: 'transform'; readonly value: Template }
  | {
      readonly kind: 'switch';
      readonly on: Template;
      readonly cases: Readonly<Record<string, readonly string[]>>;
      readonly otherwise: readonly string[];
    }
  | {
      readonly kind: 'map';
      readonly over: Template;
      readonly concurrency: number;
      readonly onFailure: OnFailure;
      readonly body: Body;
    }
  | {
      readonly kind: 'loop';
      readonly while: Template | undefined;
      readonly until: Template | undefined;
      readonly initial: Template;
      readonly maxRounds: number;
      readonly body: Body;
    }
  | { readonly kind: 'workflow'; readonly workflow: WorkflowName; readonly inputs: Template }
  | { readonly kind: 'wait'; readonly for: WaitFor };

export type WaitFor =
  | { readonly what: 'duration'; readonly text: Template }
  | { readonly what: 'time'; readonly text: Template }
  | { readonly what: 'signal'; readonly name: string }
  | { readonly what: 'approval'; readonly name: string; readonly message: Template };

export interface ControlReading {
  readonly key: string;
  readonly task: TaskDocument;
  readonly document: WorkflowDocument;
  readonly faults: Fault[];
  readonly examine: Examine;
}

/** A step with all that it refers to; undefined when its `with` has faults, which are added to the reading's. */
export type ReadStep = { readonly step: ControlStep; readonly references: References } | undefined;

/** Reads `with` of a task that a scheduler does. */
export function readControl(reading: ControlReading, kind: ControlKind, workflow: WorkflowName | undefined): ReadStep {
  switch (kind) {
    case 'transform': {
      const value = template(reading, reading.task.with ?? null, []);
      return { step: { kind, value }, references: templateReferences(value) };
    }
    case 'workflow': {
      const inputs = template(reading, reading.task.with ?? {}, []);
      const step = { kind, workflow: workflow ?? { name: '', version: undefined }, inputs };
      return { step, references: templateReferences(inputs) };
    }
    case 'switch':
      return readSwitch(reading);
    case 'wait':
      return readWait(reading);
    case 'map':
      return readMap(reading);
    case 'loop':
      return readLoop(reading);
  }
}

function parseWith<T>(reading: ControlReading, schema: z.ZodType<T>): T | undefined {
  const base = ['tasks', reading.key, 'with'];
  if (reading.task.with === undefined) {
    const message = `task "${reading.key}" uses ${reading.task.uses} and needs a "with"`;
    reading.faults.push(fault('missing_field', pointerOf(base), message));
    return undefined;
  }
  const parsed = schema.safeParse(reading.task.with);
  if (parsed.success) return parsed.data;
  reading.faults.push(...faultsOf(parsed.error, base));
  return undefined;
}

function template({ key, faults }: ControlReading, value: unknown, path: readonly string[]): Template {
  return readTemplate(value, ['tasks', key, 'with', ...path], faults);
}

function readSwitch(reading: ControlReading): ReadStep {
  const parsed = parseWith(reading, switchWithSchema);
  if (parsed === undefined) return undefined;
  const on = template(reading, parsed.on, ['on']);
  const cases = Object.fromEntries(Object.entries(parsed.cases).map(([value, tasks]) => [value, listOf(tasks)]));
  return {
    step: { kind: 'switch', on, cases, otherwise: listOf(parsed.default ?? []) },
    references: templateReferences(on),
  };
}

function readWait(reading: ControlReading): ReadStep {
  const parsed = parseWith(reading, waitWithSchema);
  if (parsed === undefined) return undefined;
  const waitFor = waitForOf(reading, parsed);
  const templates = waitFor.what === 'approval' ? [waitFor.message] : 'text' in waitFor ? [waitFor.text] : [];
  return { step: { kind: 'wait', for: waitFor }, references: mergeReferences(templates.map(templateReferences)) };
}

function waitForOf(reading: ControlReading, wait: z.infer<typeof waitWithSchema>): WaitFor {
  if (wait.signal !== undefined) return { what: 'signal', name: wait.signal };
  if (wait.approval !== undefined) {
    const message = template(reading, wait.approval.message ?? '', ['approval', 'message']);
    return { what: 'approval', name: reading.key, message };
  }
  const { key, faults } = reading;
  if (wait.for !== undefined) {
    const text = template(reading, wait.for, ['for']);
    if (text.kind === 'constant' && parseDuration(wait.for) === undefined)
      faults.push(fault('bad_duration', pointerOf(['tasks', key, 'with', 'for']), `"${wait.for}" is not a duration`));
    return { what: 'duration', text };
  }
  const until = wait.until ?? '';
  const text = template(reading, until, ['until']);
  if (text.kind === 'constant' && Number.isNaN(Date.parse(until)))
    faults.push(fault('bad_value', pointerOf(['tasks', key, 'with', 'until']), `"${until}" is not an ISO 8601 time`));
  return { what: 'time', text };
}

function readMap(reading: ControlReading): ReadStep {
  const parsed = parseWith(reading, mapWithSchema);
  if (parsed === undefined) return tellOfBody(reading);
  const over = template(reading, parsed.over, ['over']);
  if (over.kind === 'constant' && !Array.isArray(over.value))
    reading.faults.push(fault('bad_type', pointerOf(['tasks', reading.key, 'with', 'over']), '"over" is not a list'));
  const { body, references } = readBody(reading, parsed);
  const { concurrency, onFailure } = parsed;
  return {
    step: { kind: 'map', over, concurrency, onFailure, body },
    references: mergeReferences([templateReferences(over), references]),
  };
}

function readLoop(reading: ControlReading): ReadStep {
  const parsed = parseWith(reading, loopWithSchema);
  if (parsed === undefined) return tellOfBody(reading);
  const condition = (value: string | boolean, name: string): Template =>
    readCondition(value, ['tasks', reading.key, 'with', name], reading.faults);
  const before = parsed.while === undefined ? undefined : condition(parsed.while, 'while');
  const after = parsed.until === undefined ? undefined : condition(parsed.until, 'until');
  const initial = template(reading, parsed.initial ?? null, ['initial']);
  const { body, references } = readBody(reading, parsed);
  // The round is known to the conditions of a loop, though not to `initial`.
  const conditions = [before, after].flatMap((each) =>
    each === undefined ? [] : [{ ...templateReferences(each), each: false }],
  );
  return {
    step: { kind: 'loop', while: before, until: after, initial, maxRounds: parsed.maxRounds, body },
    references: mergeReferences([...conditions, templateReferences(initial), references]),
  };
}

/** Where a map or loop has faults of its own, those within its body are told together with them. */
function tellOfBody(reading: ControlReading): undefined {
  const { do: one, tasks, output } = objectOf(reading.task.with);
  const whole = salvage({ tasks: tasks ?? (one === undefined ? {} : { do: one }), outputs: { output } });
  const { tasks: read, outputs } = whole.document;
  if (Object.keys(read).length === 0 || Object.keys(read).length < whole.known.tasks.size) return undefined;
  readBody(reading, tasks === undefined ? { do: read['do'] } : { tasks: read, output: outputs?.['output'] });
  return undefined;
}
