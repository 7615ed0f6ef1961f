import { HANDLER_NAME, LatticeError, taskError, type WorkerOutcome } from '@lattice/contracts';
import { jsonText } from '../json-text';
import { schemaOf } from '../workflow/schema';
import type { HandlerContext, HandlerTask } from '../workflow/task';

/** A function of a worker with nothing known of its types. */
export type PlainHandler = (input: unknown, context: HandlerContext) => unknown;

/** Handlers as a worker takes them: defined ones, or functions by name. */
export type Handlers = readonly HandlerTask[] | Readonly<Record<string, PlainHandler>>;

/** Does the work of an attempt. Never rejects. */
export type Perform = (input: unknown, context: HandlerContext) => Promise<WorkerOutcome>;

const STACK_LINES = 12;
const MESSAGE_CHARS = 4_000;

/** Handlers by name. Throws `bad_value`, `duplicate` for what can't be one. */
export function handlerTable(handlers: Handlers): Map<string, Perform> {
  const table = new Map<string, Perform>();
  const entries: [string, Perform][] = isList(handlers)
    ? handlers.map((one) => [one.name, performOf(one)])
    : Object.entries(handlers).map(([name, run]) => [
        name,
        async (input, context) => outcomeOf(name, () => run(input, context)),
      ]);
  for (const [name, perform] of entries) {
    if (!HANDLER_NAME.test(name)) throw new LatticeError('bad_value', `"${name}" may not name a handler`);
    if (table.has(name)) throw new LatticeError('duplicate', `there are two handlers "${name}"`);
    table.set(name, perform);
  }
  if (table.size === 0) throw new LatticeError('bad_value', 'a worker needs at least one handler');
  return table;
}

function isList(handlers: Handlers): handlers is readonly HandlerTask[] {
  return Array.isArray(handlers);
}

function performOf({ name, inputs, outputs, run }: HandlerTask): Perform {
  if (run === undefined)
    throw new LatticeError('bad_value', `handler "${name}" has no function: it can't be worked on here`);
  const takes = inputs === undefined ? undefined : schemaOf(inputs);
  const gives = outputs === undefined ? undefined : schemaOf(outputs);
  return async (input, context) => {
    const taken = await takes?.safeParseAsync(input);
    if (taken?.success === false)
      return failed('task_input_invalid', `the input of ${name} does not fit: ${said(taken.error)}`);
    // The schema is what gave the function its type.
    const call = run as PlainHandler;
    return outcomeOf(
      name,
      () => call(taken === undefined ? input : taken.data, context),
      async (value) => {
        const given = await gives?.safeParseAsync(value);
        if (given === undefined) return { value };
        return given.success ? { value: given.data } : { fault: said(given.error) };
      },
    );
  };
}

async function outcomeOf(
  name: string,
  run: () => unknown,
  check: (value: unknown) => Promise<{ value: unknown } | { fault: string }> = (value) => Promise.resolve({ value }),
): Promise<WorkerOutcome> {
  let value: unknown;
  try {
    value = await run();
  } catch (error) {
    return { status: 'failed', error: errorOf(error) };
  }
  const checked = await check(value);
  if ('fault' in checked) return failed('task_output_invalid', `what ${name} returned does not fit: ${checked.fault}`);
  const text = jsonText(checked.value);
  if ('fault' in text) return failed('output_not_json', `the output is not JSON: ${text.fault}`);
  return { status: 'completed', output: text.json };
}

function failed(
  code: 'task_input_invalid' | 'task_output_invalid' | 'output_not_json',
  message: string,
): WorkerOutcome {
  return { status: 'failed', error: taskError(code, message.slice(0, MESSAGE_CHARS)) };
}

/** A handler may say that another attempt is useless: `retryable: false` on what it throws. */
function errorOf(error: unknown): Extract<WorkerOutcome, { status: 'failed' }>['error'] {
  if (error instanceof LatticeError) {
    return taskError(error.code, error.message, error.details === undefined ? {} : { details: error.details });
  }
  if (!(error instanceof Error)) return taskError('task_failed', `thrown: ${String(error)}`.slice(0, MESSAGE_CHARS));
  const stack = error.stack?.split('\n').slice(0, STACK_LINES).join('\n');
  const final = 'retryable' in error && error.retryable === false ? { retryable: false } : {};
  const details = {
    name: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(stack === undefined ? {} : { stack }),
  };
  return taskError('task_failed', (error.message || error.name).slice(0, MESSAGE_CHARS), { ...final, details });
}

function said(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  return error.issues.map(({ path, message }) => `${['$', ...path.map(String)].join('.')}: ${message}`).join('; ');
}
