/** Lets a child process of a test run TypeScript from source, as the specs do: `node -C lattice-source -r register.cjs x.ts`. */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const transform = require('./transform.cjs');

Module._extensions['.ts'] = (module, file) => {
  module._compile(transform.process(readFileSync(file, 'utf8'), file).code, file);
};
