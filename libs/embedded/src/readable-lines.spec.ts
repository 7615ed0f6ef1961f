import { readableLine, readableLines } from './readable-lines';

const entry = (more: object): string =>
  JSON.stringify({ level: 'warn', time: '2026-01-02T03:04:05.678Z', app: 'worker', pid: 1, msg: 'it fails', ...more });

test('entries that tell of something wrong are told with their time, level, message and error', () => {
  expect(readableLine(entry({}))).toMatch(/^\d\d:\d4:05 warn it fails$|^\d\d:\d\d:05 warn it fails$/);
  expect(
    readableLine(entry({ level: 'error', err: { type: 'Error', message: 'no route', stack: 'Error: x' } })),
  ).toMatch(/ error it fails \(no route\)$/);
  expect(readableLine(entry({ level: 'fatal', err: 'odd' }))).toMatch(/ fatal it fails$/);
});

test('the others are not told', () => {
  for (const level of ['trace', 'debug', 'info']) expect(readableLine(entry({ level }))).toBeUndefined();
});

test('what is no entry stays as it is', () => {
  for (const line of [
    'Error: no such setting',
    '    at main.js:1:2',
    '',
    '{"a":1}',
    '{"level":"odd","time":"now"}',
    '{ broken',
  ])
    expect(readableLine(line)).toBe(line);
});

test('an entry is one line, of which a terminal obeys nothing', () => {
  const line = readableLine(entry({ msg: 'one\n  two', err: { message: '\u001b[2Jthree' } }));
  expect(line).toMatch(/ warn one two \( \[2Jthree\)$/);
});

test('entries that say the same one after the other are told once', () => {
  const other = entry({ msg: 'another' });
  const later = entry({ time: '2026-01-02T03:04:09.000Z' });
  const told = readableLines([entry({}), entry({ level: 'info' }), later, other, entry({}), 'x', 'x']);
  expect(told.map((line) => line.replace(/^\d\d:\d\d:/, ''))).toEqual([
    '09 warn it fails',
    '05 warn another',
    '05 warn it fails',
    'x',
    'x',
  ]);
});
