import { LatticeError } from '@lattice/contracts';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Access } from './platform';
import { refused } from './refusal';
import type { Tool, ToolContext } from './tool';

/** A call is given up after so long: more than the longest wait, and no more than clients wait. */
const LIMIT_MS = 58_000;

/** Calls a tool for a caller. Whatever is refused or fails is a result too, with its code: a tool throws nothing. */
export async function callTool(
  tool: Tool,
  given: unknown,
  { access, signal, progress }: { access: Access; signal: AbortSignal; progress: ToolContext['progress'] },
): Promise<CallToolResult> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const either = AbortSignal.any([signal, limit]);
  try {
    access.require?.(tool.needs);
    const work = tool.call(given, { platform: access.platform, signal: either, progress });
    const { value, text } = await Promise.race([work, aborted(either)]);
    return { content: [{ type: 'text', text: text ?? JSON.stringify(value) }], structuredContent: value };
  } catch (error) {
    return refused(access.refusalOf(limit.aborted ? late(error) : readable(error)), tool.pointers);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('the call was ended'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function late(cause: unknown): LatticeError {
  const message = `The platform did not answer within ${LIMIT_MS / 1_000} s; what was asked for may have happened all the same.`;
  return new LatticeError('unavailable', message, { cause });
}

/** Values that nest too deep overflow the stack of whoever walks through them. */
function readable(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new LatticeError('bad_request', 'The arguments nest too deep.', { cause: error });
}
