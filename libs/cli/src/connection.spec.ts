import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findApiKey, findUrl } from './connection';

let root: string;
let below: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lattice-connection-'));
  below = join(root, 'a', 'b');
  mkdirSync(below, { recursive: true });
  mkdirSync(join(root, '.lattice', 'run'), { recursive: true });
  writeFileSync(join(root, '.lattice', 'admin.key'), 'lat_near\n');
  writeFileSync(
    join(root, '.lattice', 'run', 'launcher.json'),
    '{"pid":1,"started":"x","url":"http://127.0.0.1:4000"}',
  );
});
afterEach(() => rmSync(root, { recursive: true }));

it('takes the flag, then the environment, then what lies in .lattice, nearest first', () => {
  expect(findUrl('http://flag', { LATTICE_URL: 'http://env' }, below).value).toBe('http://flag');
  expect(findUrl(undefined, { LATTICE_URL: 'http://env' }, below).value).toBe('http://env');
  expect(findUrl(undefined, {}, below)).toEqual({
    value: 'http://127.0.0.1:4000',
    from: '../../.lattice/run/launcher.json',
  });
  expect(findApiKey('flag', { LATTICE_API_KEY: 'env' }, below)?.value).toBe('flag');
  expect(findApiKey(undefined, { LATTICE_API_KEY: 'env' }, below)?.value).toBe('env');
  expect(findApiKey(undefined, {}, below)?.value).toBe('lat_near');
});

it('looks into LATTICE_HOME only, when that is set', () => {
  const env = { LATTICE_HOME: join(root, 'other') };
  expect(findApiKey(undefined, env, below)).toBeUndefined();
  expect(findUrl(undefined, env, below).value).toBe('http://127.0.0.1:3000');
});

it('passes over a launcher that serves no API', () => {
  writeFileSync(join(root, '.lattice', 'run', 'launcher.json'), '{"pid":1,"started":"x","url":null}');
  expect(findUrl(undefined, {}, below).from).toBe('the default');
});
