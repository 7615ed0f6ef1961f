import { warmBytesOf } from './warm-bytes';

const MEBIBYTE = 1024 * 1024;

test('interpreters that wait take a share of the memory of a worker, on large machines not more than 256 MiB', () => {
  expect(warmBytesOf(undefined, 512 * MEBIBYTE)).toBe(64 * MEBIBYTE);
  expect(warmBytesOf(undefined, 64_000 * MEBIBYTE)).toBe(256 * MEBIBYTE);
});

test('a worker that is told goes by that', () => {
  expect(warmBytesOf(0, 64_000 * MEBIBYTE)).toBe(0);
  expect(warmBytesOf(512 * MEBIBYTE, 1_024 * MEBIBYTE)).toBe(512 * MEBIBYTE);
});
