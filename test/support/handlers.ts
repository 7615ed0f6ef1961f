import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Handler } from '@lattice/executor';
import { z } from 'zod';
import { FILE_HANDLERS } from './file-handlers';

/** What a `note` task did: one line of the ledger, which no part of the system under test can read or write. */
const noteSchema = z.object({
  run: z.string(),
  task: z.string(),
  attempt: z.number(),
  pid: z.number(),
  at: z.number(),
});
export type Note = z.infer<typeof noteSchema>;

/** Lines that are whole; a process may have been killed in the middle of the last one. */
export function readLedger(file: string): Note[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => noteSchema.parse(JSON.parse(line)));
}

const noteInput = z.object({ run: z.string(), task: z.string(), value: z.unknown(), ms: z.number().default(0) });
const HOLD_MS = 10;

/** Values that JSON, Redis or Postgres have their difficulties with. */
export const POISONS: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  nul: () => 'a\0b',
  surrogate: () => ['\ud800', { '\udc00': 1 }],
  big: () => 'x'.repeat(200_000),
  wide: () => '\u20ac'.repeat(60_000),
  tooLarge: () => 'x'.repeat(2_000_000),
  nan: () => ({ deep: [Number.NaN] }),
  at: () => '@1.1',
  empty: () => '',
  proto: () => JSON.parse('{"__proto__":{"x":1},"constructor":2}') as unknown,
  nested: () => nested(500),
  deep: () => nested(100_000),
  cycle: () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  },
};

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const number = (input: unknown, name: string): number => z.record(z.string(), z.unknown()).parse(input)[name] as number;
const text = (input: unknown, name: string): string => z.record(z.string(), z.string()).parse(input)[name] ?? '';

/** Handlers of the tests. `ledger` is the file that `note` writes to. */
export function testHandlers(ledger: string): Map<string, Handler> {
  return new Map<string, Handler>([
    ...FILE_HANDLERS,
    ['noop', () => null],
    ['echo', (input) => input],
    // Says what it was given in its environment, wherever a handler can say anything.
    [
      'tell',
      (input, { env, log, progress }) => {
        const said = Object.values(env).join(' ');
        log(said);
        // What is no number is passed over.
        progress(Number.NaN, said);
        progress(50, said);
        if (input === 'throw') throw new Error(said);
        return env;
      },
    ],
    // An agent of an imported workflow.
    ['agent.echo', (input) => input],
    ['add', (input) => number(input, 'a') + number(input, 'b')],
    [
      'sum',
      (input) =>
        z
          .array(z.number())
          .parse(input)
          .reduce((sum, each) => sum + each, 0),
    ],
    // For batches: notes each call, and doubles each number.
    [
      'double',
      async (inputs, { batch, gpus }) => {
        const list = z.array(z.unknown()).parse(inputs);
        appendFileSync(ledger, `${JSON.stringify({ inputs: list, key: batch?.key, gpus: gpus.length })}\n`);
        if (list.includes('hang')) await delay(60_000, undefined, { ref: false });
        if (list.includes('throw')) throw new Error('the batch fails');
        const outputs = list.map((n) =>
          typeof n === 'string' ? new Error(`${n} is no number`) : n === null ? n : Number(n) * 2,
        );
        return list.includes('short') ? outputs.slice(1) : outputs;
      },
    ],
    // Tells what it has from now on as a label of its worker.
    ['load', (input, { labels }) => labels.set('model', text(input, 'model'))],
    ['poison', (input) => POISONS[text(input, 'kind')]?.()],
    ['sleep', async (input, { signal }) => delay(number(input, 'ms'), 'slept', { signal })],
    // Gives signs of life while it sleeps.
    [
      'beat',
      async (input, { signal, heartbeat }) => {
        for (let beats = number(input, 'beats'); beats > 0; beats -= 1) {
          heartbeat();
          await delay(number(input, 'every'), undefined, { signal });
        }
        return 'beaten';
      },
    ],
    // Can't be stopped, as level none can't.
    ['stubborn', async (input) => delay(number(input, 'ms'), 'slept')],
    [
      'fail',
      (input, { attempt }) => {
        const times = z.object({ times: z.number().default(1_000) }).parse(input ?? {}).times;
        if (attempt <= times) throw new Error(`attempt ${attempt} fails`);
        return attempt;
      },
    ],
    // Goes on once the file is there.
    [
      'hold',
      async (input, { signal, attempt }) => {
        while (!existsSync(text(input, 'file'))) await delay(HOLD_MS, undefined, { signal });
        return attempt;
      },
    ],
    // Goes on until the file is there, whatever its signal says; notes beside it when it began and ended. In batches too.
    [
      'deaf',
      async (input) => {
        const file = text(Array.isArray(input) ? input[0] : input, 'file');
        appendFileSync(`${file}.log`, 'start\n');
        while (!existsSync(file)) await delay(HOLD_MS);
        appendFileSync(`${file}.log`, 'end\n');
        return input;
      },
    ],
    // Notes that it ran, then does what the file says: fails, holds until it is stopped, or gives its value.
    [
      'obey',
      async (input, { attempt, signal }) => {
        const { run, task, value } = noteInput.parse(input);
        const { file } = z.object({ file: z.string() }).parse(input);
        appendFileSync(ledger, `${JSON.stringify({ run, task, attempt, pid: process.pid, at: Date.now() })}\n`);
        const order = existsSync(file) ? readFileSync(file, 'utf8') : '';
        if (order === 'fail') throw new Error(`told to fail in ${task}`);
        if (order === 'hold')
          await delay(60_000, undefined, { signal }).finally(() =>
            appendFileSync(
              ledger,
              `${JSON.stringify({ run, task: `${task}:stopped`, attempt, pid: process.pid, at: Date.now() })}\n`,
            ),
          );
        return value;
      },
    ],
    [
      'note',
      (input, { attempt, signal }) => {
        const { run, task, value, ms } = noteInput.parse(input);
        appendFileSync(ledger, `${JSON.stringify({ run, task, attempt, pid: process.pid, at: Date.now() })}\n`);
        return ms === 0 ? value : delay(ms, value, { signal });
      },
    ],
  ]);
}
