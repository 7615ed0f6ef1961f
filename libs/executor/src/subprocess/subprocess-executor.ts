import type { ControlGroups } from '../control-groups/control-groups';
import type { Owner } from '../owner';
import type { Executor } from '../port';
import { createProcessExecutor } from './process-executor';
import { createSubprocessLauncher } from './subprocess-launcher';
import type { Budget } from '../warm/budget';
import type { Tools } from './tools';

export interface SubprocessOptions {
  owner: Owner;
  workRoot: string;
  /** PATH of the tasks. */
  searchPath: string;
  tools: Tools;
  groups: ControlGroups;
  warm: Budget;
  rooms: boolean;
}

/** Level `subprocess`: code in a process group of its own, without the worker's environment, within limits. No isolation of files or network. */
export function createSubprocessExecutor(options: SubprocessOptions): Executor {
  const { owner, workRoot, searchPath, tools, groups, warm, rooms } = options;
  const launcher = createSubprocessLauncher({ workRoot, searchPath, tools });
  return createProcessExecutor({ owner, launcher, groups, warm, rooms });
}
