import { fault, pointerOf, type Fault } from '@lattice/contracts';
import { readDocument } from '@lattice/flow';
import { FaultList } from '../fault-list';
import type { Imported } from '../importer';
import { legalName } from '../legal-name';
import { taskKeysOf } from '../task-keys';
import { Context, TooIntricate, type Inputs } from './context';
import { orderOf } from './graph';
import { inputKey, readInputs, type ReadInputs } from './inputs';
import { makeGraph } from './make-graph';
import { endOf, type Making } from './making';
import { readStates, type Block, type State, type StationFile } from './read-states';
import { Keys, Scope } from './scope';

/**
 * Imports a workflow of Station. States there run one after the other and write into one context; here they are tasks that need
 * what leads to them and refer to what they read.
 *
 * | state | task |
 * | --- | --- |
 * | agent, operation with agent.run | `handler/agent.NAME`: gets `task` and the input, or the output of the state before as `previous` |
 * | other operations | `handler/operation.NAME` |
 * | inject, transform, cron | `transform`; a cron is also told as a schedule to create |
 * | switch | `switch` on one expression of all conditions |
 * | parallel | the tasks of its branches and a `transform` that joins them |
 * | foreach | `map` |
 * | try | a `map` of one item for each block, and a `transform` of what came of them |
 * | timer, human approval, await | `wait` |
 *
 * A state that several ways lead to needs the last task of each; ways from a switch are arms. A way that leads back is a fault.
 */
export function importStation(value: unknown): Imported {
  const read = readStates(value);
  if (!read.ok) return read;
  const { block } = read.file;
  const cycles = new FaultList();
  cycles.add(...cyclesOf(block, false));
  if (!cycles.isEmpty) return { ok: false, faults: cycles.toArray() };
  try {
    return make(read.file);
  } catch (error) {
    if (!(error instanceof TooIntricate)) throw error;
    return { ok: false, faults: [fault('bad_value', '/states', 'the states refer to one another in too many ways')] };
  }
}

function make({ head, block }: StationFile): Imported {
  const states = statesOf(block);
  const ids = unique(states);
  const keys = taskKeysOf(ids);
  const name = legalName(head.id);
  const declared = readInputs(head.inputSchema ?? undefined);
  const inputs: Inputs = {
    declared: declared.names,
    isClosed: declared.isGiven,
    undeclared: new Set(),
    unknown: new Set(),
  };
  const making: Making = {
    context: new Context(inputs),
    notes: [],
    keyOf: new Map(states.map((state, index) => [state, keys[index] ?? ''])),
    handlers: new Set(),
    unread: new Set(),
    graph: makeGraph,
    name,
  };
  const graph = makeGraph(making, block, { scope: new Scope(new Keys(keys), name) });
  const { id, name: title, version, description, inputSchema: _, ...details } = head;
  const added = [...inputs.undeclared].map(
    (each) => [inputKey(each), { type: 'any', required: !declared.isGiven }] as const,
  );
  const all = { ...declared.inputs, ...Object.fromEntries(added) };
  const text = description || title;
  const checked = readDocument({
    name,
    ...(text ? { description: text } : {}),
    ...(Object.keys(all).length === 0 ? {} : { inputs: all }),
    tasks: graph.scope.toTasks(),
    outputs: { result: `\${{ ${endOf(graph)} }}` },
    metadata: {
      importedFrom: { format: 'station', id, ...(title ? { name: title } : {}), ...(version ? { version } : {}) },
      ...details,
    },
  });
  if (!checked.ok) return { ok: false, faults: checked.faults.map((each) => inFile(each, states, keys)) };
  return {
    ok: true,
    workflow: checked.workflow.document,
    notes: [...generalNotes({ making, inputs, declared, id, details }), ...making.notes],
    keys: Object.fromEntries(ids.flatMap((each, index) => (each === keys[index] ? [] : [[each, keys[index] ?? '']]))),
  };
}

/** All states, those within others after them. */
function statesOf({ states }: Block): State[] {
  return states.flatMap((state) => [state, ...blocksOf(state).flatMap(statesOf)]);
}

function blocksOf(state: State): Block[] {
  const inner = [state.iterator, state.try, state.catch, state.finally].filter((block) => block !== undefined);
  return [...state.branches.map(({ block }) => block), ...inner];
}

/** Ids that are there twice, in different blocks, are told apart by a number. */
function unique(states: readonly State[]): string[] {
  const taken = new Set(states.map(({ id }) => id));
  const seen = new Set<string>();
  return states.map(({ id }) => {
    let free = id;
    for (let number = 2; seen.has(free) || (free !== id && taken.has(free)); number += 1) free = `${id}_${number}`;
    seen.add(free);
    return free;
  });
}

function cyclesOf(block: Block, isInner: boolean): Fault[] {
  const { order, faults } = orderOf(block, isInner);
  return [...faults, ...order.flatMap(({ state }) => blocksOf(state).flatMap((inner) => cyclesOf(inner, true)))];
}

interface Told {
  readonly making: Making;
  readonly inputs: Inputs;
  readonly declared: ReadInputs;
  readonly id: string;
  readonly details: object;
}

function generalNotes({ making, inputs, declared, id, details }: Told): string[] {
  const notes: string[] = [];
  const { handlers, unread, name } = making;
  if (handlers.size > 0) notes.push(`Handlers that workers have to offer: ${listed(handlers)}.`);
  if ([...handlers].some((each) => each.startsWith('agent.')))
    notes.push(
      'An agent there sees the whole context; its handler here gets the task and input of the state, or, as `previous`, what the state before gave (in a foreach, the item).',
    );
  if (name !== id) notes.push(`The workflow "${id.slice(0, 100)}" is named "${name}" here.`);
  if (inputs.undeclared.size > 0)
    notes.push(
      `Names that no state leaves are inputs of the workflow: ${listed(new Set([...inputs.undeclared].map(inputKey)))}.`,
    );
  if (inputs.unknown.size > 0) notes.push(`Null here, for only Station knows them: ${listed(inputs.unknown)}.`);
  if (unread.size > 0) notes.push(`Left as text, for nothing here is that: ${listed(unread)}`);
  notes.push(...declared.notes);
  const fields = Object.keys(details);
  if (fields.length > 0) notes.push(`Kept as metadata of the workflow, without effect: ${fields.join(', ')}.`);
  return notes;
}

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 20).map((name) => name.slice(0, 200));
  return `${shown.join(', ')}${names.size > 20 ? ` and ${names.size - 20} more` : ''}`;
}

/** A fault of the document at its place in the file. */
function inFile(each: Fault, states: readonly State[], keys: readonly string[]): Fault {
  const [, part, key = ''] = each.pointer.split('/');
  if (part === 'inputs') return { ...each, pointer: pointerOf(['inputSchema', 'properties', key]) };
  // Tasks that are no state are named after one.
  const index = keys.findIndex((known) => known === key || (key.startsWith(`${known}_`) && known !== ''));
  const at = states[index]?.at;
  return { ...each, pointer: part === 'tasks' && at !== undefined ? pointerOf(at) : '' };
}
