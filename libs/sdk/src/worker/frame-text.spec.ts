import fc from 'fast-check';
import { logPieces, progressFrame, resultText } from './frame-text';

const CHARS = 65_536;

it('cuts a log into pieces, but no character', () => {
  fc.assert(
    fc.property(fc.nat(3), fc.constantFrom('x', 'é', '😀', '\n'), (before, character) => {
      const text = `${'a'.repeat(before)}${character.repeat(CHARS + 10)}\n`;
      const pieces = logPieces(text);
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) {
        expect(piece.length).toBeLessThanOrEqual(CHARS);
        expect(Buffer.from(piece).toString()).toBe(piece);
      }
    }),
  );
});

it('keeps progress within its bounds, and takes any text', () => {
  expect(progressFrame('a', -3, undefined)).toEqual({ op: 'progress', id: 'a', percent: 0 });
  expect(progressFrame('a', Infinity, 7)).toEqual({ op: 'progress', id: 'a', percent: 100, text: '7' });
  expect(progressFrame('a', Number.NaN, 'x')).toEqual({ op: 'alive', id: 'a' });
});

it('says of a result above the limit, or of one that is no JSON, what it is', () => {
  const read = (outcome: Parameters<typeof resultText>[1], limit: number): unknown =>
    JSON.parse(resultText('a', outcome, limit)).outcome;
  const completed = { status: 'completed', output: `"${'é'.repeat(500)}"` } as const;
  const bytes = Buffer.byteLength(resultText('a', completed, Infinity));
  expect(read(completed, bytes)).toEqual(completed);
  expect(read(completed, bytes - 1)).toMatchObject({
    status: 'failed',
    error: { code: 'output_too_large', retryable: false, details: { bytes } },
  });
  const error = { code: 'task_failed', message: 'm', retryable: true };
  for (const details of [{ text: 'x'.repeat(bytes) }, { n: 1n }])
    expect(read({ status: 'failed', error: { ...error, details } }, bytes)).toEqual({ status: 'failed', error });
});
