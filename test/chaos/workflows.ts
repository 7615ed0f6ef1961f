import type { Submission } from './client';

const SOURCE = `import { appendFileSync } from 'node:fs';
export default ({ ledger, value }) => {
  const line = { token: process.env.LATTICE_EXECUTION, pid: process.pid, at: Date.now() };
  appendFileSync(ledger, JSON.stringify(line) + '\\n');
  return value;
};`;

/** A task that notes its attempt in the worker, and works for so many milliseconds. */
export function note(value: unknown, options: { ms?: unknown; needs?: string[] } = {}): Record<string, unknown> {
  return { uses: 'handler/note', needs: options.needs ?? [], with: { value, ms: options.ms ?? 0 } };
}

/** A task that notes its attempt from a process of its own. */
export function noteOutside(ledger: string, value: unknown): Record<string, unknown> {
  return { uses: 'code', with: { language: 'javascript', source: SOURCE, input: { ledger, value } } };
}

/** The first attempt of this task sleeps in a process of its own for a minute, with a child of its own; further ones answer at once. */
export function sleeper(ledger: string): Record<string, unknown> {
  const source = `import { appendFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
export default async ({ ledger }) => {
  const token = process.env.LATTICE_EXECUTION;
  const note = (pid) => appendFileSync(ledger + '.pids', pid + '\\n');
  appendFileSync(ledger, JSON.stringify({ token, pid: process.pid, at: Date.now() }) + '\\n');
  if (!token.endsWith('.1')) return 'done';
  note(process.pid);
  note(spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).pid);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return 'late';
};`;
  return { uses: 'code', with: { language: 'javascript', source, input: { ledger } } };
}

/** Two branches between a first and a last task; `c` may run in a process of its own. */
export function diamond(
  name: string,
  c: (value: string) => Record<string, unknown> = (value) => note(value),
): Record<string, unknown> {
  return {
    name,
    inputs: { n: { type: 'integer', required: true }, ms: { type: 'integer', default: 0 } },
    tasks: {
      a: note('${{ inputs.n }}'),
      b: note('${{ tasks.a.output + 1 }}', { ms: '${{ inputs.ms }}' }),
      c: c('${{ tasks.a.output * 2 }}'),
      d: note('${{ tasks.b.output + tasks.c.output }}'),
    },
    outputs: { value: '${{ tasks.d.output }}' },
  };
}

/** Run `n` of many diamonds: some wait in the middle, some run a part in a process of its own. */
export function diamondRun(n: number): Submission {
  const ms = n % 5 === 0 ? 200 : 0;
  return {
    workflow: n % 40 === 0 ? 'diamond-outside' : 'diamond',
    inputs: { n, ms },
    expected: { value: n + 1 + n * 2 },
  };
}

/** A chain of steps that each take a while, with a leaf beside each, so that something is always under way. */
export function steps(count: number, ms: number): Record<string, unknown> {
  const tasks: Record<string, unknown> = {};
  for (let index = 0; index < count; index += 1) {
    tasks[`t${index}`] = note(index === 0 ? 1 : `\${{ tasks.t${index - 1}.output + 1 }}`, { ms });
    tasks[`f${index}`] = note(`\${{ tasks.t${index}.output }}`, { ms });
  }
  return { name: 'steps', tasks, outputs: { value: `\${{ tasks.t${count - 1}.output }}` } };
}

export function stepsRun(count: number, ms: number): Submission {
  return { workflow: steps(count, ms), inputs: {}, expected: { value: count } };
}
