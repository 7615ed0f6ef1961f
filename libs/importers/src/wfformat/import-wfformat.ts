import { pointerOf, type Fault } from '@lattice/contracts';
import { readDocument } from '@lattice/flow';
import { fit } from '../fit';
import type { Imported, ImportOptions } from '../importer';
import { legalName } from '../legal-name';
import { taskKeysOf } from '../task-keys';
import { bodyFaults, bodyOf } from './body';
import { notesOf } from './notes';
import { readFile, type WfFile, type WfTask } from './read-file';
import { readGraph, type WfGraph } from './read-graph';

/** Imports a WfCommons instance: WfFormat 1.5, or the layouts before it. The time it takes is linear in tasks and edges. */
export function importWfFormat(value: unknown, options: ImportOptions): Imported {
  const read = readFile(value);
  if (!read.ok) return read;
  const { file } = read;
  const { graph, faults } = readGraph(file.tasks);
  faults.add(...bodyFaults(file.tasks, options));
  if (!faults.isEmpty) return { ok: false, faults: faults.toArray() };
  const keys = taskKeysOf(file.tasks.map(({ id }) => id));
  const name = legalName(file.name);
  const checked = readDocument(documentOf({ file, graph, keys, name, options }));
  if (!checked.ok) return { ok: false, faults: checked.faults.map((fault) => inFile(fault, file, keys)) };
  const { workflow, notes } = fit(checked.workflow.document);
  const renamed = file.tasks.flatMap(({ id }, index) => (keys[index] === id ? [] : [[id, keys[index] ?? ''] as const]));
  return {
    ok: true,
    workflow,
    notes: [...notesOf({ file, graph, options, name, renamed: renamed.length }), ...notes],
    keys: Object.fromEntries(renamed),
  };
}

interface Parts {
  readonly file: WfFile;
  readonly graph: WfGraph;
  readonly keys: readonly string[];
  readonly name: string;
  readonly options: ImportOptions;
}

function documentOf({ file, graph, keys, name, options }: Parts): unknown {
  const tasks = file.tasks.map((task, index) => {
    const needs = [...new Set(graph.parents[index])].map((parent) => keys[parent]);
    const key = keys[index] ?? '';
    const metadata = metadataOf(task, key);
    return [
      key,
      {
        ...bodyOf(task, options),
        ...(needs.length === 0 ? {} : { needs }),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      },
    ] as const;
  });
  return {
    name,
    ...(file.description === undefined ? {} : { description: file.description }),
    tasks: Object.fromEntries(tasks),
    metadata: {
      importedFrom: { format: 'wfformat', name: file.name, schemaVersion: file.schemaVersion ?? null },
      ...file.details.file,
      ...(Object.keys(file.details.workflow).length === 0 ? {} : { workflow: file.details.workflow }),
      ...(Object.keys(file.details.execution).length === 0 ? {} : { execution: file.details.execution }),
    },
  };
}

/** What the file says of a task, in its own words; id and name only where the key does not tell them. */
function metadataOf({ id, name, details }: WfTask, key: string): Record<string, unknown> {
  return {
    ...(id === key ? {} : { id }),
    ...(name === undefined || name === id ? {} : { name }),
    ...details,
  };
}

/** A fault of the document at its place in the file: only what the file holds of metadata can be at fault. */
function inFile(fault: Fault, file: WfFile, keys: readonly string[]): Fault {
  const index = keys.findIndex((key) => {
    const pointer = pointerOf(['tasks', key]);
    return fault.pointer === pointer || fault.pointer.startsWith(`${pointer}/`);
  });
  return { ...fault, pointer: file.tasks[index]?.pointer ?? '' };
}
