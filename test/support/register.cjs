/**
 * Lets a child process of a test run TypeScript from source, as the specs do: `node -C lattice-source -r register.cjs x.ts`.
 * What was compiled is kept beside Jest's own cache: a test that kills processes starts many.
 */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const transform = require('./transform.cjs');

const cache = join(__dirname, '..', '..', '.jest-cache', 'processes');
mkdirSync(cache, { recursive: true });

function compiled(file) {
  const source = readFileSync(file, 'utf8');
  const kept = join(cache, `${transform.getCacheKey(source, file)}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const { code } = transform.process(source, file);
    const draft = `${kept}.${process.pid}`;
    writeFileSync(draft, code);
    renameSync(draft, kept);
    return code;
  }
}

Module._extensions['.ts'] = (module, file) => module._compile(compiled(file), file);
