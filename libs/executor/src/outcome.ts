import { LatticeError, taskError, type TaskError } from '@lattice/contracts';
import type { Execution, Outcome } from './port';
import { readFault, readOutput } from './read-output';
import { messageOf } from './thrown';
import type { Workspace } from './workspace';

/** How a process or container ended by itself. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The kernel ended something in it for lack of memory. */
  oomKilled: boolean;
  stderrTail: string;
}

/** Signals that a process does not send itself by a fault of its own. */
const OUTSIDE_SIGNALS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);
/** How V8 and the C++ runtime end a process that gets no more memory. */
const ABORT_SIGNALS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);
const ABORT_WORDS = /out of memory|Allocation failed|std::bad_alloc/;
const SIGNAL_CODES: Readonly<Record<number, NodeJS.Signals>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  134: 'SIGABRT',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
};

/** The outcome of a process or container that nobody stopped. */
export async function outcomeOfExit(exit: Exit, execution: Execution, workspace: Workspace): Promise<Outcome> {
  const failedMemory = memoryError(exit, execution);
  if (failedMemory !== undefined) return failed(failedMemory);
  if (execution.uses === 'code') {
    const fault = await readFault(workspace.fault);
    if (fault !== undefined) return failed(fault);
  }
  if (!isAllowed(exit, execution)) return failed(exitError(exit, execution));
  const output = await readOutput(workspace.output, execution.limits.outputBytes);
  switch (output.kind) {
    case 'output':
      return { status: 'completed', outputJson: output.json };
    case 'fault':
      return failed(output.error);
    case 'missing':
      return execution.uses === 'code'
        ? failed(taskError('task_failed', 'exited before returning a value', { details: { exitCode: 0 } }))
        : { status: 'completed', outputJson: execution.uses === 'script' ? exitOutput(exit) : 'null' };
  }
}

/** A script may allow a code that stands for a signal at some levels: what it says holds. */
function isAllowed({ code, signal }: Exit, execution: Execution): boolean {
  if (execution.uses !== 'script') return signal === null && code === 0;
  return code !== null && execution.script.allowExit.includes(code);
}

/** A script that knows nothing of us writes no output: what it ended with is all it tells. */
function exitOutput({ code }: Exit): string {
  return JSON.stringify({ exitCode: code });
}

/** Thrown to end an execution with this error. */
export class TaskFault extends Error {
  constructor(readonly error: TaskError) {
    super(error.message);
    this.name = 'TaskFault';
  }
}

/** A thrown error as the outcome it stands for. */
export function outcomeOfThrown(error: unknown): Outcome {
  if (error instanceof TaskFault) return failed(error.error);
  if (error instanceof LatticeError) {
    return failed(taskError(error.code, error.message, error.details === undefined ? {} : { details: error.details }));
  }
  return failed(taskError('sandbox_failed', `the execution could not be set up: ${messageOf(error)}`));
}

export function memoryLimitError(limitBytes: number, details: Record<string, unknown> = {}): TaskError {
  return taskError('out_of_memory', `used more memory than its limit of ${limitBytes} bytes`, {
    details: { limitBytes, ...details },
  });
}

/** The signal in an exit code of 128 + its number: what init processes report for a child that a signal ended. */
export function signalOfCode(code: number): NodeJS.Signals | null {
  return SIGNAL_CODES[code] ?? null;
}

function failed(error: TaskError): Outcome {
  return { status: 'failed', error };
}

function memoryError(exit: Exit, execution: Execution): TaskError | undefined {
  const { memoryBytes } = execution.limits;
  const wrong = exit.signal !== null || exit.code !== 0;
  if (wrong && exit.oomKilled && memoryBytes !== undefined) return memoryLimitError(memoryBytes);
  if (!ABORT_SIGNALS.has(exit.signal ?? '') || !ABORT_WORDS.test(exit.stderrTail)) return undefined;
  if (memoryBytes !== undefined) return memoryLimitError(memoryBytes);
  return taskError('out_of_memory', 'could not allocate more memory; set resources.memory to what the task needs');
}

function exitError(exit: Exit, execution: Execution): TaskError {
  const { signal } = exit;
  if (signal !== null && OUTSIDE_SIGNALS.has(signal)) {
    const note = signal === 'SIGKILL' ? ', perhaps by the kernel for lack of memory on the machine' : '';
    return taskError('killed', `ended by ${signal} from outside${note}`, { details: { signal } });
  }
  const details: Record<string, unknown> = {};
  if (exit.code !== null) details['exitCode'] = exit.code;
  if (signal !== null) details['signal'] = signal;
  if (exit.stderrTail !== '') details['stderr'] = exit.stderrTail;
  if (signal !== null) return taskError('task_failed', `ended by ${signal}`, { details });
  const before =
    execution.uses === 'code'
      ? ' before returning a value'
      : execution.uses === 'script'
        ? ` (allowed: ${execution.script.allowExit.join(', ')})`
        : '';
  return taskError('task_failed', `exited with code ${exit.code}${before}`, { details });
}
