import { taskError, type WorkerFrame, type WorkerOutcome } from '@lattice/contracts';

/** Within any limit of a frame, however its characters are escaped. */
const PIECE_CHARS = 65_536;
const MESSAGE_CHARS = 4_000;

/** A text of a log in pieces that fit frames; a character of two units is not cut. */
export function logPieces(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = start + PIECE_CHARS;
    const cutsPair = end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff;
    pieces.push(text.slice(start, cutsPair ? end - 1 : end));
    start = cutsPair ? end - 1 : end;
  }
  return pieces;
}

/** The frame of what a handler says of its progress. A percentage that is no number (0 of 0) is a sign of life, and no more. */
export function progressFrame(id: string, percent: number, text: unknown): WorkerFrame {
  const bounded = Math.min(100, Math.max(0, percent));
  if (Number.isNaN(bounded)) return { op: 'alive', id };
  return { op: 'progress', id, percent: bounded, ...(text === undefined ? {} : { text: textOf(text) }) };
}

/** The text of a frame with the result of an attempt. One above the limit, in bytes, or that is no JSON, says so instead. */
export function resultText(id: string, outcome: WorkerOutcome, limit: number): string {
  const say = (one: WorkerOutcome): string => JSON.stringify({ op: 'result', id, outcome: one } satisfies WorkerFrame);
  let text: string;
  try {
    text = say(outcome);
  } catch (error) {
    // What was thrown may have anything for details.
    return say(failed(outcome, error instanceof Error ? error.message : String(error)));
  }
  const bytes = Buffer.byteLength(text);
  return bytes <= limit ? text : say(failed(outcome, `a frame of ${bytes} bytes, above the limit of ${limit}`, bytes));
}

function failed(outcome: WorkerOutcome, why: string, bytes?: number): WorkerOutcome {
  if (outcome.status === 'failed') {
    const { code, message, retryable } = outcome.error;
    return { status: 'failed', error: { code, message: message.slice(0, MESSAGE_CHARS), retryable } };
  }
  const message = `the output makes ${why}; return a reference`;
  return {
    status: 'failed',
    error: taskError('output_too_large', message, bytes === undefined ? {} : { details: { bytes } }),
  };
}

function textOf(text: unknown): string {
  return String(text).slice(0, PIECE_CHARS);
}
