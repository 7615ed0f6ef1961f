import { bytes, duration, table } from './format';

it('writes durations', () => {
  const written = [0, 45.4, 999.6, 1_240, 59_940, 59_960, 125_000, 3_599_600, 3_720_000].map((ms) => duration(ms));
  expect(written).toEqual([
    '0 ms',
    '45 ms',
    '1.0 s',
    '1.2 s',
    '59.9 s',
    '1 m 00 s',
    '2 m 05 s',
    '1 h 00 m',
    '1 h 02 m',
  ]);
});

it('writes sizes', () => {
  expect([0, 1_023, 1_024, 1_536, 8 * 1_024 ** 3].map(bytes)).toEqual(['0 B', '1023 B', '1 KiB', '1.5 KiB', '8 GiB']);
});

it('makes tables without spaces at the end', () => {
  const columns = [
    { title: 'KEY', of: (row: string[]) => row[0] ?? '' },
    { title: 'N', of: (row: string[]) => row[1] ?? '', align: 'right' as const },
    { title: 'WHY', of: (row: string[]) => row[2] ?? '' },
  ];
  const rows = [
    ['a', '10', ''],
    ['long', '5', 'because'],
  ];
  expect(table(rows, columns, (text) => text)).toBe('KEY    N  WHY\na     10\nlong   5  because');
});
