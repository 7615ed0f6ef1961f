import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { hintOf } from './hint-of';
import type { Refusal } from './platform';

/** A refusal as the result of a tool: its code, what happened, what to do, and all faults. Nothing of it is cut. */
export function refused(
  { code, message, faults = [], retryAfter }: Refusal,
  pointers: Readonly<Record<string, string>> = {},
): CallToolResult {
  const error = {
    code,
    message,
    ...hintOf(code),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(faults.length === 0
      ? {}
      : { faults: faults.map((fault) => ({ ...fault, pointer: translate(fault.pointer, pointers) })) }),
  };
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error }, null, 2) }] };
}

/** The place among the arguments that a place of the platform stands for. */
function translate(pointer: string, pointers: Readonly<Record<string, string>>): string {
  const [from, to] = Object.entries(pointers).find(([begin]) => pointer.startsWith(begin)) ?? ['', ''];
  return `${to}${pointer.slice(from.length)}`;
}
