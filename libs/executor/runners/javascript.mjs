// Runs one JavaScript or TypeScript task. The protocol (the same for python.py):
//   LATTICE_SOURCE  the file with the task's code        LATTICE_INPUT  the file with its input, JSON
//   LATTICE_OUTPUT  where the JSON of its output goes    LATTICE_FAULT  where the error goes: {code, message, details}
// Files appear whole (rename), so a task that ends half-way has no output. stdout and stderr belong to the task.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect, types } from 'node:util';
import json from './json-output.cjs';

const MAX_MESSAGE = 4_000;
const MAX_STACK_LINES = 12;

const { LATTICE_SOURCE: source, LATTICE_INPUT: input, LATTICE_OUTPUT: output, LATTICE_FAULT: fault } = process.env;
const exit = process.exit.bind(process);
const { parse, stringify } = JSON;

function writeWhole(file, text) {
  writeFileSync(`${file}.part`, text, { mode: 0o644 });
  renameSync(`${file}.part`, file);
}

/** An exit does not wait for what is still in a stream's buffer. */
function flushed(stream) {
  return stream.writableLength === 0 ? undefined : new Promise((resolve) => stream.write('', resolve));
}

async function leave(code) {
  await flushed(process.stdout);
  await flushed(process.stderr);
  exit(code);
}

function failWith(code, message, details) {
  writeWhole(fault, stringify({ code, message: message.slice(0, MAX_MESSAGE), ...details }));
  return leave(1);
}

function failed(error) {
  if (!(error instanceof Error || types.isNativeError(error)))
    return failWith('task_failed', `thrown: ${inspect(error, { depth: 2 })}`, {});
  const memory = error instanceof RangeError && error.message.includes('Array buffer allocation failed');
  return failWith(memory ? 'out_of_memory' : 'task_failed', error.message === '' ? error.name : error.message, {
    ...(error.retryable === false ? { retryable: false } : {}),
    details: {
      name: error.name,
      stack: trimmed(error),
      ...(typeof error.code === 'string' ? { code: error.code } : {}),
      ...(error.cause === undefined ? {} : { cause: inspect(error.cause, { depth: 1 }).slice(0, MAX_MESSAGE) }),
    },
  });
}

/** Only frames of the task, with short file names. */
function trimmed(error) {
  if (error instanceof SyntaxError && !String(error.stack).includes(path.basename(source))) return syntaxPlace();
  return String(error.stack)
    .replaceAll(pathToFileURL(path.dirname(source)).href + '/', '')
    .replaceAll(path.dirname(source) + '/', '')
    .split('\n')
    .filter((line) => !line.includes('node:internal') && !line.includes(path.basename(import.meta.filename)))
    .slice(0, MAX_STACK_LINES)
    .join('\n')
    .slice(0, MAX_MESSAGE);
}

/** The engine does not say where a module has its syntax error, unless asked to check the file. */
function syntaxPlace() {
  const check = spawnSync(process.execPath, ['--check', source], { encoding: 'utf8', timeout: 5_000 });
  return check.stderr
    .replaceAll(path.dirname(source) + '/', '')
    .split('\n')
    .slice(0, 5)
    .join('\n');
}

/** The file to import: types are taken out where this Node can do so. */
async function moduleFile() {
  if (!source.endsWith('.ts')) return source;
  const { stripTypeScriptTypes } = await import('node:module');
  if (stripTypeScriptTypes === undefined) return undefined;
  const file = path.join(tmpdir(), 'task.mjs');
  writeFileSync(file, stripTypeScriptTypes(readFileSync(source, 'utf8')));
  return file;
}

async function main() {
  const file = await moduleFile();
  if (file === undefined) {
    const message = `TypeScript needs Node 22.13 or later, this is ${process.version}; use javascript, or another Node`;
    return failWith('language_unavailable', message, {});
  }
  const { default: run } = await import(pathToFileURL(file).href);
  if (typeof run !== 'function') {
    return failWith(
      'task_failed',
      'the source must have a default export that is a function: export default (input) => ...',
      {},
    );
  }
  const result = json.toJson(await run(parse(readFileSync(input, 'utf8'))));
  if ('fault' in result) return failWith('output_not_json', `the output is not JSON: ${result.fault}`, {});
  writeWhole(output, result.json);
  return leave(0);
}

const UNSETTLED = 'exited before returning a value: its promise can no longer settle, as nothing is left to wait for';
process.once('beforeExit', () => void failWith('task_failed', UNSETTLED, {}));
process.on('uncaughtException', (error) => void failed(error));
main().catch(failed);
