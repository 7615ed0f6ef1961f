import { taskError, type TaskError } from '@lattice/contracts';
import type { TransformFailure } from 'esbuild';
import { RunningHandle, within } from './handle';
import type { Executor, Handle, Outcome } from './port';
import { messageOf } from './thrown';

/** Translating takes milliseconds; a translator that has not answered by then never will. */
const LIMIT_MS = 10_000;
/** What a place in the source is called; the runner of JavaScript finds it by the map that is at the end of the source. */
const FILE = 'task.ts';

/**
 * The executor, for TypeScript too: it is given JavaScript. Types are taken out, not checked; what has no counterpart in JavaScript
 * (enums, parameter properties) is translated. The Node that runs the task need know nothing of TypeScript.
 */
export function withTypeScript(executor: Executor): Executor {
  let closed = false;
  return {
    level: executor.level,
    submit(execution) {
      if (execution.uses !== 'code' || execution.code.language !== 'typescript') return executor.submit(execution);
      const { code } = execution;
      return submitLater(code.source, (source) =>
        closed ? undefined : executor.submit({ ...execution, code: { ...code, language: 'javascript', source } }),
      );
    },
    close() {
      closed = true;
      return executor.close();
    },
  };
}

/** `submit` gives undefined when nothing may be submitted any more. */
function submitLater(typescript: string, submit: (source: string) => Handle | undefined): Handle {
  let handle: Handle | undefined;
  let stopped = false;
  async function work(): Promise<Outcome> {
    const translated = await translate(typescript);
    if ('error' in translated) return stopped ? { status: 'cancelled' } : { status: 'failed', error: translated.error };
    handle = stopped ? undefined : submit(translated.source);
    return handle === undefined ? { status: 'cancelled' } : handle.result();
  }
  return new RunningHandle(work(), (reason) => {
    stopped = true;
    void handle?.cancel(reason);
  });
}

type Translated = { readonly source: string } | { readonly error: TaskError };

async function translate(typescript: string): Promise<Translated> {
  // Loaded with the first such task: most workers have none.
  const esbuild = await import('esbuild').catch(() => undefined);
  if (esbuild === undefined) {
    const message = 'TypeScript needs the package esbuild, which this worker lacks: install it, or use javascript';
    return { error: taskError('language_unavailable', message) };
  }
  const work = esbuild
    .transform(typescript, {
      loader: 'ts',
      target: 'node20',
      sourcefile: FILE,
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    })
    .then(({ code }): Translated => ({ source: code }))
    .catch((error: unknown): Translated => ({ error: syntaxError(error) }));
  if (await within(work, LIMIT_MS)) return work;
  return { error: taskError('sandbox_failed', `the source was not translated to JavaScript within ${LIMIT_MS} ms`) };
}

/** As the runner tells of a source that is no JavaScript. */
function syntaxError(error: unknown): TaskError {
  const first = isRefusal(error) ? error.errors[0] : undefined;
  if (first === undefined) return taskError('task_failed', messageOf(error));
  const { text, location } = first;
  const stack = location === null ? '' : `${FILE}:${location.line}:${location.column + 1}\n${location.lineText}`;
  return taskError('task_failed', text, { details: { name: 'SyntaxError', stack } });
}

function isRefusal(error: unknown): error is TransformFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
