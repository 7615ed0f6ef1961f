import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A task of JavaScript. */
export function javascript(source: string, input?: unknown): Record<string, unknown> {
  return { uses: 'code', with: { language: 'javascript', source, ...(input === undefined ? {} : { input }) } };
}

/** A gate that tasks wait at until the test opens it, so that a test decides how long a task runs. */
export interface Gate {
  readonly path: string;
  open(): void;
  remove(): void;
}

export function newGate(): Gate {
  const folder = mkdtempSync(join(tmpdir(), 'lattice-e2e-gate-'));
  const path = join(folder, 'open');
  mkdirSync(folder, { recursive: true });
  return {
    path,
    open: () => writeFileSync(path, ''),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const WAITING = `
  import { existsSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  export default async ({ gate, value }) => {
    console.log('waiting at the gate');
    while (!existsSync(gate)) await setTimeout(10);
    return value;
  };`;

/** A task that says "waiting at the gate", waits there, and gives `value`. */
export function waitingTask(gate: Gate, value: unknown = 'passed'): Record<string, unknown> {
  return javascript(WAITING, { gate: gate.path, value });
}
