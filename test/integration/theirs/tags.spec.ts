import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const ROW = /^\| (\S+)\s+\|[^|]+\| `([^`]+)`\s+\|$/gm;
/** The first text of a test or of a group of tests. */
const TITLE = /\b(?:test|it|describe)(?:\.\w+)*(?:\([^'"`()]*\))?\(\s*(['"`])(.*?)\1/g;
const TAG = /\b(?:LT|RF|CM|LL|ST)-T?\d+\b/g;

const rows = [...readFileSync(join(__dirname, 'README.md'), 'utf8').matchAll(ROW)].map(([, tag = '', file = '']) => ({
  tag,
  file,
}));

function titlesOf(file: string): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE)].map(([, , title = '']) => title);
}

function specs(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && entry.name.endsWith('.spec.ts') && !entry.parentPath.includes('node_modules')
      ? [relative(ROOT, join(entry.parentPath, entry.name))]
      : [],
  );
}

test('the table has its rows', () => expect(rows.length).toBeGreaterThan(30));

test.each(rows)('$tag has a test of its name in $file', ({ tag, file }) => {
  const named = new RegExp(`\\b${tag}\\b`);
  expect(titlesOf(file).filter((title) => named.test(title))).not.toEqual([]);
});

test('no test has a tag that the table lacks', () => {
  const known = new Set(rows.map(({ tag }) => tag));
  const used = ['libs', 'apps', 'test']
    .flatMap(specs)
    .flatMap((file) => titlesOf(file).flatMap((title) => (title.match(TAG) ?? []).map((tag) => ({ tag, file }))));
  expect(used.length).toBeGreaterThan(30);
  expect(used.filter(({ tag }) => !known.has(tag))).toEqual([]);
});
