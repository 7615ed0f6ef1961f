import { z } from 'zod';

/** Words that CEL keeps for itself: a task or input of such a name could not be referred to. */
export const CEL_WORDS = [
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'namespace',
  'null',
  'package',
  'return',
  'true',
  'var',
  'void',
  'while',
] as const;
/** `__proto__` is refused because objects keyed by task would lose it. */
const RESERVED = new Set<string>([...CEL_WORDS, '__proto__']);

export const TASK_KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** True when the text may name a task. */
export function isTaskKey(text: string): boolean {
  return TASK_KEY_PATTERN.test(text) && !RESERVED.has(text);
}

/** Name of a task within its document. */
export const taskKeySchema = z.string().refine(isTaskKey, {
  message: 'not a task key: letters, digits and _, up to 63, not starting with a digit, and not a word of CEL',
  params: { code: 'bad_task_key' },
});

/** Id of a run: a UUIDv7. */
export const runIdSchema = z.uuid();

/** Name of a workflow. */
export const workflowNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'not a workflow name: letters, digits, . _ -, up to 128');
