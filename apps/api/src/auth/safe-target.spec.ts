import { safeTarget } from './safe-target';

describe('safeTarget', () => {
  it.each(['/', '/docs', '/admin/queues/queue/runs?status=active#x', '/docs?next=//x'])('keeps %s', (target) => {
    expect(safeTarget(target)).toBe(target);
  });

  it.each([
    '//evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    'https://evil.test',
    'javascript:alert(1)',
    'evil.test',
    '/.//evil.test',
    '/a/..//evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '/a\\..\\..\\evil',
    '',
    undefined,
    ['/docs'],
  ])('makes / of %j', (target) => {
    expect(safeTarget(target)).toBe('/');
  });
});
