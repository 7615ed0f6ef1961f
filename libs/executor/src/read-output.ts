import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { inexactNumber, taskError, taskErrorSchema, type TaskError } from '@lattice/contracts';
import { z } from 'zod';
import { messageOf } from './thrown';

/** The runner's word on how its task failed; only these codes are its to give. */
const faultSchema = z.object({
  code: z.enum([
    'task_failed',
    'output_not_json',
    'out_of_memory',
    'language_unavailable',
    'task_input_invalid',
    'task_output_invalid',
  ]),
  message: z.string(),
  retryable: z.boolean().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
const FAULT_BYTES = 256 * 1024;

export type ReadOutput = { kind: 'output'; json: string } | { kind: 'missing' } | { kind: 'fault'; error: TaskError };

/** Reads and checks the JSON that a task has left. */
export async function readOutput(file: string, limitBytes: number): Promise<ReadOutput> {
  const bytes = await readRegularFile(file, limitBytes);
  // A sandbox is given an empty file to write to.
  if (bytes === 'missing' || (typeof bytes === 'object' && bytes.length === 0)) return { kind: 'missing' };
  if (bytes === 'irregular') return fault('output_not_json', 'the output is not a regular file');
  if (typeof bytes === 'number') return { kind: 'fault', error: tooLarge(bytes, limitBytes) };
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fault('output_not_json', 'the output is not JSON: it is not valid UTF-8');
  }
  try {
    JSON.parse(json);
  } catch (error) {
    return fault('output_not_json', `the output is not JSON: ${messageOf(error)}`);
  }
  const inexact = inexactNumber(json);
  if (inexact !== undefined) {
    const message = `the output has the number ${inexact.slice(0, 40)}, which JSON can't hold exactly; return it as a string`;
    return fault('number_out_of_range', message);
  }
  return { kind: 'output', json };
}

/** The error that a runner has left; undefined when it left none that makes sense. */
export async function readFault(file: string): Promise<TaskError | undefined> {
  const bytes = await readRegularFile(file, FAULT_BYTES);
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const { code, message, retryable, details } = faultSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return taskErrorSchema.parse(
      taskError(code, message, {
        ...(retryable === undefined ? {} : { retryable }),
        ...(details === undefined ? {} : { details }),
      }),
    );
  } catch {
    return undefined;
  }
}

export function tooLarge(bytes: number, limitBytes: number): TaskError {
  return taskError(
    'output_too_large',
    `the output has ${bytes} bytes, the limit is ${limitBytes}; return a reference`,
    {
      details: { bytes, limitBytes },
    },
  );
}

function fault(code: 'output_not_json' | 'number_out_of_range', message: string): ReadOutput {
  return { kind: 'fault', error: taskError(code, message) };
}

/**
 * The bytes, or the size when that is above the limit. The path is under the task's control: a link could lead to a file of
 * the host, and a FIFO would be waited on for ever.
 */
async function readRegularFile(file: string, limit: number): Promise<Uint8Array | number | 'missing' | 'irregular'> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? ('missing' as const) : ('irregular' as const),
  );
  if (typeof handle === 'string') return handle;
  try {
    const info = await handle.stat();
    if (!info.isFile()) return 'irregular';
    if (info.size > limit) return info.size;
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}
