import { readDocument } from '@lattice/flow';
import type { Fault } from '@lattice/contracts';
import { importWfFormat, type Imported, type ImportOptions } from '../src/index';

/** Of tasks that do nothing. */
export const NOOP: ImportOptions = { body: 'noop', scale: 1 };

type Task = Record<string, unknown> & { id: string };

export function fileOf(tasks: readonly unknown[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'test', schemaVersion: '1.5', workflow: { specification: { tasks }, ...more } };
}

export function task(id: string, parents: readonly string[] = [], children: readonly string[] = []): Task {
  return { name: id, id, parents, children };
}

export function imported(value: unknown, options: ImportOptions = NOOP): Extract<Imported, { ok: true }> {
  const result = importWfFormat(value, options);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  const read = readDocument(result.workflow);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return result;
}

export function faultsOf(value: unknown, options: ImportOptions = NOOP): readonly Fault[] {
  const result = importWfFormat(value, options);
  return result.ok ? [] : result.faults;
}

/** `parent -> child` of every edge. */
export function edgesOf({ workflow }: Extract<Imported, { ok: true }>): string[] {
  return Object.entries(workflow.tasks).flatMap(([key, { needs }]) =>
    (typeof needs === 'string' ? [needs] : (needs ?? [])).map((need) => `${need} -> ${key}`),
  );
}
