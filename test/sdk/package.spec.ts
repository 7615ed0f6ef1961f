import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installSdk, node, root, typeCheck } from './support';

let folder = '';
beforeAll(async () => {
  folder = await installSdk();
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed SDK, installed elsewhere', () => {
  it('needs no part of the server', () => {
    const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed.sort()).toEqual(['@esbuild', '@lattice', 'esbuild', 'ws', 'zod']);
    expect(readdirSync(join(folder, 'node_modules', '@lattice'))).toEqual(['sdk']);
  });

  it('loads as an ES module and as CommonJS, with the same names', async () => {
    const print =
      'console.log(Object.keys(sdk).filter((name) => name !== "default" && name !== "module.exports").sort().join())';
    const esm = await node(folder, 'names.mjs', `import * as sdk from '@lattice/sdk'; ${print}`);
    const cjs = await node(folder, 'names.cjs', `const sdk = require('@lattice/sdk'); ${print}`);
    expect(esm).toBe(cjs);
    expect(esm.split(',')).toEqual(expect.arrayContaining(['LatticeClient', 'createWorkflow', 'handler', 'task', 'z']));
  });

  it('has a client for browsers: it imports nothing of Node', async () => {
    const esm = join(folder, 'node_modules', '@lattice', 'sdk', 'esm');
    const seen = new Set(['client-entry.js']);
    for (const name of seen) {
      const source = readFileSync(join(esm, name), 'utf8');
      for (const [, chunk] of source.matchAll(/from "\.\/([^"]+)"/g)) seen.add(chunk ?? '');
      expect(source).not.toMatch(/["']node:|\brequire\(|\bcreateRequire\b/);
    }
    const script = `import { LatticeClient, createWorkflow } from '@lattice/sdk/client';
      console.log(typeof LatticeClient, createWorkflow('x').toDocument().name);`;
    expect(await node(folder, 'client.mjs', script)).toBe('function x');
  });

  it('has types that refuse a wrong field at compile time, for both kinds of modules', async () => {
    const source = readFileSync(join(root, 'test', 'sdk', 'fixtures', 'diamond.mts'), 'utf8');
    writeFileSync(join(folder, 'diamond.mts'), source);
    writeFileSync(join(folder, 'diamond.cts'), source);
    expect(await typeCheck(folder, ['diamond.mts', 'diamond.cts'], false)).toBe('');
    // Each of these lines is an error of its own: without the expectation, tsc says so.
    const expected = source.split('@ts-expect-error').length - 1;
    writeFileSync(join(folder, 'diamond.mts'), source.replaceAll('@ts-expect-error', ''));
    expect((await typeCheck(folder, 'diamond.mts')).match(/^diamond\.mts\(.*error TS/gm)).toHaveLength(expected);
  }, 180_000);
});
