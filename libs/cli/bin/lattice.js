#!/usr/bin/env node
'use strict';

const { existsSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join, resolve } = require('node:path');

const main = join(__dirname, '..', 'dist', 'main.js');
if (existsSync(main)) {
  // Node 22 and later keep the compiled code: half the time to the first line.
  enableCompileCache?.();
  require(main);
} else {
  const root = resolve(__dirname, '..', '..', '..');
  process.stderr.write(`lattice is not built yet. In ${root} run: npm ci && npm run build\n`);
  process.exitCode = 2;
}
