import type { ImportOptions } from '../importer';
import type { WfFile, WfTask } from './read-file';
import type { WfGraph } from './read-graph';

const KNOWN_VERSIONS = ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5'];

interface Noted {
  readonly file: WfFile;
  readonly graph: WfGraph;
  readonly options: ImportOptions;
  /** Name of the document. */
  readonly name: string;
  readonly renamed: number;
}

/** What the document does not say as the file did, a sentence each. */
export function notesOf(noted: Noted): string[] {
  return [
    ...bodyNotes(noted),
    ...nameNotes(noted),
    ...fileNotes(noted),
    ...metadataNotes(noted.file),
    ...edgeNotes(noted.graph),
    ...layoutNotes(noted.file),
    ...recordNotes(noted.file),
  ];
}

function bodyNotes({ file, options: { body, scale, handler } }: Noted): string[] {
  const where = handler === undefined ? '' : ` in handler/${handler}`;
  const instead = body === 'sleep' ? `waits its recorded run time times ${scale}` : 'does nothing';
  const notes = [`The recorded programs are not run: each task ${instead}${where}.`];
  const unknown = file.tasks.filter(({ runtimeInSeconds }) => runtimeInSeconds === undefined).length;
  if (body === 'sleep' && unknown > 0) notes.push(`${tasksOf(unknown)} without a recorded run time: the wait is 0.`);
  return notes;
}

function nameNotes({ file, name, renamed }: Noted): string[] {
  const notes: string[] = [];
  if (name !== file.name) notes.push(`The workflow "${shorten(file.name)}" is named "${name}" here.`);
  if (renamed > 0) notes.push(`${tasksOf(renamed)} renamed, for the id is no task key: see keys.`);
  return notes;
}

/** Files are exchanged on a disk that tasks share; no task here has one. */
function fileNotes({ file: { tasks, files }, graph }: Noted): string[] {
  const inputs = tasks.reduce((sum, task) => sum + task.inputFiles.length, 0);
  const outputs = tasks.reduce((sum, task) => sum + task.outputFiles.length, 0);
  if (inputs + outputs + files.length === 0) return [];
  const bytes = files.reduce<number>((sum, file) => sum + sizeOf(file), 0);
  const described = files.length === 0 ? '' : ` (${files.length} described, ${bytes} bytes)`;
  const notes = [
    `Data files are not carried over: ${inputs} inputs and ${outputs} outputs of tasks${described}. Only the order of tasks is kept.`,
  ];
  const implied = graph.edges === 0 ? impliedByFiles(tasks) : 0;
  if (implied > 0) {
    notes.push(
      `No task names parents or children, though ${tasksOf(implied, 'reads', 'read')} files that another writes: that order is not kept.`,
    );
  }
  return notes;
}

function impliedByFiles(tasks: readonly WfTask[]): number {
  const written = new Set(tasks.flatMap(({ outputFiles }) => outputFiles.map(nameOfFile)));
  return tasks.filter(({ inputFiles }) => inputFiles.some((file) => written.has(nameOfFile(file)))).length;
}

function nameOfFile(file: unknown): unknown {
  return typeof file === 'object' && file !== null && 'name' in file ? file.name : file;
}

function sizeOf(file: unknown): number {
  if (typeof file !== 'object' || file === null) return 0;
  const size: unknown = 'sizeInBytes' in file ? file.sizeInBytes : undefined;
  return typeof size === 'number' ? size : 0;
}

function metadataNotes({ tasks, machines, oddities }: WfFile): string[] {
  const notes: string[] = [];
  const fields = [...new Set(tasks.flatMap(({ details }) => Object.keys(details)))].sort();
  if (fields.length > 0) {
    notes.push(`Kept as metadata of tasks, without effect on where, when or how they run: ${listed(fields)}.`);
  }
  if (machines > 0) {
    notes.push(
      `${machines === 1 ? '1 machine is' : `${machines} machines are`} described in the metadata of the workflow; no task is bound to one.`,
    );
  }
  const { overridden } = oddities;
  if (overridden.length > 0)
    notes.push(
      `The specification of tasks and their execution both give ${listed(overridden)}: that of the execution is kept.`,
    );
  return notes;
}

function edgeNotes({ oneSided, byName, empty }: WfGraph): string[] {
  const notes: string[] = [];
  if (oneSided > 0) {
    notes.push(
      `${oneSided === 1 ? '1 dependency is' : `${oneSided} dependencies are`} named by one of the two tasks only, as parent or as child: taken all the same.`,
    );
  }
  if (byName > 0) notes.push(`${byName} of the parents and children are given by name instead of id.`);
  if (empty > 0) notes.push(`${empty} of the parents and children are empty texts, which name no task: passed over.`);
  return notes;
}

function layoutNotes({ schemaVersion, oddities }: WfFile): string[] {
  const notes: string[] = [];
  const { older, passedOver, withoutId } = oddities;
  const version = schemaVersion === undefined ? 'an unnamed version' : `version ${shorten(schemaVersion)}`;
  if (older) notes.push(`The file has the layout from before WfFormat 1.5 (it names ${version}).`);
  else if (schemaVersion === undefined || !KNOWN_VERSIONS.includes(schemaVersion)) {
    notes.push(`The file names ${version} of WfFormat: read as 1.5.`);
  }
  if (passedOver > 0) notes.push('The file has another list of tasks, of another layout: passed over.');
  if (withoutId > 0) notes.push(`${tasksOf(withoutId)} without an id: the name is taken for it.`);
  return notes;
}

function recordNotes({ oddities }: WfFile): string[] {
  const notes: string[] = [];
  const { withoutExecution, withoutRecord, strayRecords, repeatedRecords, negativeRuntimes } = oddities;
  if (withoutExecution) notes.push('The file has no execution: run times, commands and machines are unknown.');
  if (withoutRecord.length > 0)
    notes.push(`${tasksOf(withoutRecord.length)} not in the execution: ${listed(withoutRecord)}.`);
  if (strayRecords.length > 0)
    notes.push(`The execution records tasks that are not in the workflow, left out: ${listed(strayRecords)}.`);
  if (repeatedRecords.length > 0)
    notes.push(`The execution records tasks more than once, the last is kept: ${listed(repeatedRecords)}.`);
  if (negativeRuntimes > 0) notes.push(`${tasksOf(negativeRuntimes)} with a negative run time: taken as not recorded.`);
  return notes;
}

/** The first few of a list. */
const SHOWN = 20;

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN).map(shorten).join(', ');
  return texts.length > SHOWN ? `${shown} and ${texts.length - SHOWN} more` : shown;
}

function tasksOf(count: number, one = 'is', many = 'are'): string {
  return count === 1 ? `1 task ${one}` : `${count} tasks ${many}`;
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}...`;
}
