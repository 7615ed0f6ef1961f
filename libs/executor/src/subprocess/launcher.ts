import type { Language } from '@lattice/contracts';
import type { ProcessExecution } from '../port';
import type { FoundScript } from '../script/find-script';
import type { Workspace, Places } from '../workspace';

/** What decides how an interpreter is started. All else about a task is told to the interpreter when it runs. */
export interface Shape {
  /** Undefined for a script, which says itself what it is run by. */
  language: Language | undefined;
  /** The folder of scripts that the task is to see; undefined for code. */
  scripts: string | undefined;
  memoryBytes: number | undefined;
  fileBytes: number | undefined;
  processes: number | undefined;
  network: boolean;
}

/** One start of an interpreter, ready to be spawned. */
export interface Launch {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Where the task finds its files. */
  places: Places;
  /** Files to hand over, open, from file descriptor 4 on. They are closed here once the process has them. */
  handles: number[];
  /** User and group to run as; undefined: the worker's. */
  uid: number | undefined;
}

/** How the processes of a level are started. */
export interface Launcher {
  readonly level: 'subprocess' | 'seccomp';
  /** Whether the first process is a wrapper, which reports on file descriptor 3 and must not be asked to end before the task. */
  readonly wrapped: boolean;
  /** File systems in memory that each task has for itself, by their paths as it sees them. */
  readonly memoryFolders: readonly string[];
  /** Everything slow, such as looking for interpreters; throws LatticeError when a task of this shape can't be run at this level here. */
  prepare(shape: Shape): Promise<Prepared>;
  close(): Promise<void>;
}

export interface Prepared {
  openWorkspace(token: string): Workspace;
  launch(workspace: Workspace, start: Start): Launch;
}

/** How something is started: with its task known or not, or as the script that is the task. */
export interface Start {
  /** All is set up, and the start of the interpreter alone is left, for the word of `holdWords`. */
  readonly held: boolean;
  readonly script?: ScriptStart | undefined;
}

export interface ScriptStart extends FoundScript {
  readonly args: readonly string[];
}

export function shapeOf(execution: ProcessExecution, scripts?: string): Shape {
  const { memoryBytes, fileBytes, processes } = execution.limits;
  const { language, network }: { language?: Language; network?: boolean } =
    execution.uses === 'code' ? execution.code : execution.script;
  return { language, scripts, memoryBytes, fileBytes, processes, network: network ?? false };
}
