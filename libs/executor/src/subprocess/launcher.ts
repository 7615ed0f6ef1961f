import type { Language } from '@lattice/contracts';
import type { CodeProgram, Execution } from '../port';
import type { Workspace, Places } from '../workspace';

/** What decides how an interpreter is started. All else about a task is told to the interpreter when it runs. */
export interface Shape {
  language: Language;
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
  /** Everything slow, such as looking for interpreters; throws LatticeError when a task of this shape can't be run at this level here. */
  prepare(shape: Shape): Promise<Prepared>;
  close(): Promise<void>;
}

export interface Prepared {
  openWorkspace(token: string): Workspace;
  /** `held`: all is set up, and the start of the interpreter alone is left, for the word of `holdWords`. */
  launch(workspace: Workspace, held: boolean): Launch;
}

export function shapeOf(execution: Execution & CodeProgram): Shape {
  const { memoryBytes, fileBytes, processes } = execution.limits;
  const { language, network } = execution.code;
  return { language, memoryBytes, fileBytes, processes, network: network ?? false };
}
