/** `npm run verify`: every check but the tests, one after the other; all of them run, and any failure fails it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture, ensureInstalled, root } from './ensure.mjs';

await ensureInstalled();

const node = (...parts) => [process.execPath, [join(root, ...parts)]];
const tool = (path, ...args) => {
  const [command, first] = node('node_modules', ...path.split('/'));
  return [command, [...first, ...args]];
};
const checks = [
  ['format', tool('prettier/bin/prettier.cjs', '--check', '.')],
  ['types', tool('typescript/bin/tsc', '-b')],
  ['types of tests', tool('typescript/bin/tsc', '-p', 'tsconfig.spec.json')],
  ['lint', tool('eslint/bin/eslint.js', '.')],
  [
    'layers',
    tool('dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'libs'),
  ],
  ['dead code', tool('knip/bin/knip.js')],
];
if (existsSync(join(root, 'scripts', 'generate.mjs'))) {
  const [command, args] = node('scripts', 'generate.mjs');
  checks.push(['generated', [command, [...args, '--check']]]);
}

const failed = [];
for (const [name, [command, args]] of checks) {
  const from = performance.now();
  const { code, output } = await capture(command, args);
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(14)} ${seconds.padStart(6)} s`);
  if (code === 0) continue;
  failed.push(name);
  console.log(output.replace(/^/gm, '  '));
}
console.log(failed.length === 0 ? 'verify: all good' : `verify: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
