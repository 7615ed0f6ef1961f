/** The lowest or highest UUIDv7 of a millisecond: ids of runs rise with the time at which they were made. */
export function runIdAt(ms: number, which: 'lowest' | 'highest'): string {
  const time = Math.max(0, Math.min(ms, 2 ** 48 - 1))
    .toString(16)
    .padStart(12, '0');
  const fill = which === 'lowest' ? '0' : 'f';
  const rest = fill.repeat(3);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest}-${which === 'lowest' ? '8' : 'b'}${rest}-${fill.repeat(12)}`;
}
