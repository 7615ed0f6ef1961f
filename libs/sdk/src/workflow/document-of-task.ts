import { LatticeError, USES_PATTERN, batchSchema, retrySchema, type TaskDocument } from '@lattice/contracts';
import type { z } from 'zod';
import type { CodeTask, Task } from './task';

type Bundle = (task: CodeTask) => string;
let bundle: Bundle | undefined;

/** Says how functions are bundled. Only Node can do so: browsers never hear of it. */
export function useBundler(how: Bundle): void {
  bundle = how;
}

function bundlerOf(name: string): Bundle {
  if (bundle !== undefined) return bundle;
  throw new LatticeError(
    'code_not_portable',
    `the function of "${name}" can only be bundled by Node, with @lattice/sdk and not @lattice/sdk/client; or use a handler`,
  );
}

/** A task as the document has it; its input is a template already. */
export function documentOfTask(task: Task, { input }: { input: z.core.util.JSONType }): TaskDocument {
  const { description, resources, runsOn, retry, timeout, queueTimeout, heartbeat, batch, env, tags } = task;
  return {
    ...bodyOf(task, input),
    ...(description === undefined ? {} : { description }),
    ...(resources === undefined ? {} : { resources }),
    ...(runsOn === undefined ? {} : { runsOn }),
    ...(retry === undefined ? {} : { retry: retrySchema.parse(retry) }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(queueTimeout === undefined ? {} : { queueTimeout }),
    ...(heartbeat === undefined ? {} : { heartbeat }),
    ...(batch === undefined ? {} : { batch: batchSchema.parse(batch) }),
    ...(env === undefined ? {} : { env }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function bodyOf(task: Task, input: z.core.util.JSONType): Pick<TaskDocument, 'uses' | 'with' | 'sandbox'> {
  switch (task.kind) {
    case 'handler': {
      const uses = `handler/${task.name}`;
      if (!USES_PATTERN.test(uses))
        throw new LatticeError('bad_value', `"${task.name}" may not name a handler: letters, digits, . _ -, up to 100`);
      // Always wrapped: `{ input: X }` alone means X, also where X has that very shape.
      return { uses, with: { input } };
    }
    case 'code':
      return {
        uses: 'code',
        with: { language: 'javascript', source: bundlerOf(task.name)(task), input },
        ...(task.sandbox === undefined ? {} : { sandbox: task.sandbox }),
      };
  }
}
