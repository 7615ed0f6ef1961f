import { collector } from '../test/support';
import { createLogPipe } from './log-pipe';

it('joins parts of a line and of a character, whatever their borders', async () => {
  const log = collector();
  const pipe = createLogPipe(1_000, log.onLog);
  const bytes = Buffer.from('h\u00e9 \u{1f600}\nnext \u20ac');
  for (const byte of bytes) void pipe.write('stdout', Buffer.from([byte]));
  void pipe.write('stderr', Buffer.from('other'));
  await pipe.end();
  expect(log.chunks.map(({ stream, text }) => [stream, text])).toEqual([
    ['stdout', 'h\u00e9 \u{1f600}\n'],
    ['stdout', 'next \u20ac'],
    ['stderr', 'other'],
  ]);
});

it('shows bytes that are no UTF-8 as replacement characters', async () => {
  const log = collector();
  const pipe = createLogPipe(1_000, log.onLog);
  void pipe.write('stdout', Buffer.from([0x61, 0xff, 0xfe, 0x62]));
  await pipe.end();
  expect(log.text()).toBe('a\ufffd\ufffdb');
});

it('cuts both streams together, once, and keeps the tail of stderr', async () => {
  const log = collector();
  let dropped = 0;
  const pipe = createLogPipe(5, log.onLog, () => (dropped += 1));
  void pipe.write('stdout', Buffer.from('ab\n'));
  void pipe.write('stderr', Buffer.from('c\u00e9\u00e9'));
  void pipe.write('stdout', Buffer.from('more\n'));
  void pipe.write('stderr', Buffer.from(' why'));
  await pipe.end();
  expect(log.text()).toBe('ab\nc\n[lattice] log cut: the limit is 5 bytes\n');
  expect(pipe.stderrTail()).toBe('c\u00e9\u00e9 why');
  // What is dropped is a sign of life all the same.
  expect(dropped).toBe(2);
});

it('takes exactly the limit without a cut', async () => {
  const log = collector();
  const pipe = createLogPipe(4, log.onLog);
  void pipe.write('stdout', Buffer.from('abc\n'));
  await pipe.end();
  expect(log.text()).toBe('abc\n');
});

it('gives the sink one piece at a time, in order, and asks the writer to pause', async () => {
  const taken: string[] = [];
  const go: (() => void)[] = [];
  const pipe = createLogPipe(1_000, async ({ text }) => {
    await new Promise<void>((resolve) => go.push(resolve));
    taken.push(text);
  });
  const pause = pipe.write('stdout', Buffer.from('1\n'));
  expect(pause).toBeInstanceOf(Promise);
  void pipe.write('stderr', Buffer.from('2\n'));
  expect(go).toHaveLength(1);
  const ended = pipe.end();
  go[0]?.();
  await pause;
  expect(taken).toEqual(['1\n']);
  await new Promise(setImmediate);
  go[1]?.();
  await ended;
  expect(taken).toEqual(['1\n', '2\n']);
});
