import { posix } from 'node:path';
import fc from 'fast-check';
import { scriptPathFault } from './script-path';

const segment = fc.oneof(
  fc.constantFrom('..', '.', '', 'a', 'b.sh', '...', '~', ' ', '%2e%2e', '..\\'),
  fc.string({ maxLength: 4 }),
);
const path = fc.array(segment, { maxLength: 6 }).map((segments) => segments.join('/'));

it('takes no path that leaves its folder, and all that name a file within it plainly', () => {
  fc.assert(
    fc.property(path, (text) => {
      const from = posix.relative('/srv/scripts', posix.join('/srv/scripts', text));
      if (scriptPathFault(text) === undefined) {
        expect(from).toBe(text);
        expect(from.startsWith('../')).toBe(false);
        expect(posix.resolve('/srv/scripts', text)).toBe(`/srv/scripts/${text}`);
      } else {
        const odd = text === '' || text.startsWith('/') || /\p{Cc}/u.test(text) || from !== text;
        expect(odd || text.split('/').includes('..')).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['', 'it is empty'],
  ['/etc/passwd', 'it begins at the root'],
  ['../x.sh', 'it has ".."'],
  ['a/../../x.sh', 'it has ".."'],
  ['a/..', 'it has ".."'],
  ['./x.sh', 'it has an empty segment'],
  ['a//x.sh', 'it has an empty segment'],
  ['a/', 'it has an empty segment'],
  ['x\0.sh', 'it has control characters'],
])('says why not %j', (text, reason) => {
  expect(scriptPathFault(text)).toContain(reason);
});

it.each(['x.sh', 'reports/daily.sh', '..x', 'a/...', 'Bericht für Müller.sh', '-rf'])('takes %j', (text) => {
  expect(scriptPathFault(text)).toBeUndefined();
});
