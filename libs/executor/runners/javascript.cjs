// Runs one JavaScript task. The protocol (the same for python.py):
//   LATTICE_SOURCE  the file with the task's code        LATTICE_INPUT  the file with its input, JSON
//   LATTICE_OUTPUT  where the JSON of its output goes    LATTICE_FAULT  where the error goes: {code, message, details}
// Files appear whole (rename), so a task that ends half-way has no output; where a file is there already, empty, it is all
// that the sandbox lets through, and is written in place. stdout and stderr belong to the task.
// Without LATTICE_SOURCE it has been started ahead of its task: it loads what any task needs, then waits on stdin for one line
// of JSON, {env}, that adds the rest to its environment. It runs one task, never a second one.
// With --thread it is a thread of the worker: its streams lead there, and the descriptors are those of the worker.
// A CommonJS file, and sparing with what it loads: both cost each task milliseconds.
'use strict';

const EventEmitter = require('node:events');
const { existsSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { inspect, types } = require('node:util');
const { toJson } = require('./json-output.cjs');

const MAX_MESSAGE = 4_000;
const MAX_STACK_LINES = 12;
/** Codes that a task may give by itself: bundled by the SDK, it checks its values. */
const OWN_CODES = new Set(['task_input_invalid', 'task_output_invalid']);
/** What a refused Buffer says: Node 20, then 24. */
const NO_MEMORY = /^Array buffer allocation failed|^Failed to allocate memory/;

let source, input, output, fault;
const exit = process.exit.bind(process);
const { parse, stringify } = JSON;

function writeWhole(file, text) {
  if (existsSync(file)) return writeFileSync(file, text);
  writeFileSync(`${file}.part`, text, { mode: 0o644 });
  renameSync(`${file}.part`, file);
}

/** The streams that the task has used: opening one takes milliseconds, also when it is only for a look into its buffer. */
const opened = new Set();
const inThread = process.argv[2] === '--thread';
for (const [name, fd] of [
  ['stdout', 1],
  ['stderr', 2],
]) {
  if (inThread) {
    opened.add(name);
    continue;
  }
  const { get } = Object.getOwnPropertyDescriptor(process, name);
  const open = () => {
    opened.add(name);
    return get.call(process);
  };
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: open });
  // What the console writes to, of its own accord the stream.
  console[`_${name}`] = directWriter(name, fd);
}

/** A thread gets no signals. */
if (inThread) {
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (signal) => {
    if (process.listenerCount(signal) === 0) exit(143);
    else process.emit(signal, signal);
  });
  parentPort.unref();
}

/**
 * As much of a stream as the console asks for, without opening one. Where the stream is open already (it may have been given
 * another `write`), or the direct way fails (a pipe that is full and that someone has set not to wait), it goes on there. Both
 * write before they return, so the order is kept.
 */
function directWriter(name, fd) {
  const stream = new EventEmitter();
  stream.write = (text, done) => {
    let rest = text;
    if (!opened.has(name)) {
      rest = Buffer.from(text);
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
        return true;
      } catch {
        // The stream tells, or takes, what this can't.
      }
    }
    return process[name].write(rest, done);
  };
  return stream;
}

/** An exit does not wait for what is still in the buffer of a stream. */
async function leave(code) {
  for (const name of opened) {
    const stream = process[name];
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
  }
  exit(code);
}

function failWith(code, message, details) {
  writeWhole(fault, stringify({ code, message: message.slice(0, MAX_MESSAGE), ...details }));
  return leave(1);
}

function failed(error) {
  if (!(error instanceof Error || types.isNativeError(error))) {
    const { message, code, retryable } = Object(error);
    // An error as data; anything else is shown as it is.
    if (typeof message !== 'string') return failWith('task_failed', `thrown: ${inspect(error, { depth: 2 })}`, {});
    return failWith('task_failed', message, {
      ...(retryable === false ? { retryable: false } : {}),
      ...(typeof code === 'string' ? { details: { code } } : {}),
    });
  }
  const memory = error.name === 'RangeError' && NO_MEMORY.test(error.message);
  const own = OWN_CODES.has(error.code) ? error.code : 'task_failed';
  return failWith(memory ? 'out_of_memory' : own, error.message === '' ? error.name : error.message, {
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
  return asWritten(String(error.stack))
    .replaceAll(pathToFileURL(path.dirname(source)).href + '/', '')
    .replaceAll(path.dirname(source) + '/', '')
    .split('\n')
    .filter((line) => !line.includes('node:internal') && !line.includes(path.basename(__filename)))
    .slice(0, MAX_STACK_LINES)
    .join('\n')
    .slice(0, MAX_MESSAGE);
}

/** Of a source that was made from TypeScript: its places, as they are in that. */
function asWritten(stack) {
  const [, map] =
    /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/.exec(readFileSync(source, 'utf8')) ?? [];
  const places = map === undefined ? undefined : parse(Buffer.from(map, 'base64').toString());
  if (places?.sources?.[0] !== 'task.ts') return stack;
  const { SourceMap } = require('node:module');
  const found = new SourceMap(places);
  return stack.replace(/task\.mjs:(\d+):(\d+)/g, (place, line, column) => {
    const { originalLine, originalColumn } = found.findEntry(line - 1, column - 1);
    return originalLine === undefined ? place : `task.ts:${originalLine + 1}:${originalColumn + 1}`;
  });
}

/** The engine does not say where a module has its syntax error, unless asked to check the file. */
function syntaxPlace() {
  const { spawnSync } = require('node:child_process');
  const check = spawnSync(process.execPath, ['--check', source], { encoding: 'utf8', timeout: 5_000 });
  return check.stderr
    .replaceAll(path.dirname(source) + '/', '')
    .split('\n')
    .slice(0, 5)
    .join('\n');
}

/** Loaded for what the first module of a process costs. */
const EMPTY_MODULE = path.join(__dirname, 'empty.mjs');

/** Blocks: until the task is there, nothing else is to be done. */
function readOrder() {
  const chunks = [];
  const bytes = Buffer.alloc(65_536);
  for (;;) {
    const count = readSync(0, bytes, 0, bytes.length, null);
    // The worker is gone, or does not need this process any more.
    if (count === 0) exit(0);
    chunks.push(Buffer.from(bytes.subarray(0, count)));
    if (bytes[count - 1] === 10) return parse(Buffer.concat(chunks).toString('utf8'));
  }
}

async function awaitTask() {
  await load(EMPTY_MODULE);
  // Opens them, and has the code of a write ready.
  for (const stream of [process.stdout, process.stderr]) stream.write('');
  toJson({ warm: [1] });
  Object.assign(process.env, readOrder().env);
  // Says that the task was taken: should this process have ended before, another one may run it.
  writeFileSync(process.env.LATTICE_FAULT, '{}');
}

/** Whether `require` takes modules, as it has since these versions, without a word about it: their loader starts twice as fast as that of `import`. */
function requiresModules() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 ? major > 23 : minor >= { 20: 19, 22: 13 }[major];
}

/** What the module at that path exports by default. */
async function load(file) {
  if (requiresModules()) {
    try {
      const { default: run } = require(file);
      if (typeof run === 'function') return run;
    } catch (error) {
      // It awaits outside of functions. None of it has run.
      if (error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    }
  }
  return (await import(pathToFileURL(file).href)).default;
}

async function main() {
  if (process.env.LATTICE_SOURCE === undefined) await awaitTask();
  ({ LATTICE_SOURCE: source, LATTICE_INPUT: input, LATTICE_OUTPUT: output, LATTICE_FAULT: fault } = process.env);
  const run = await load(source);
  if (typeof run !== 'function') {
    return failWith(
      'task_failed',
      'the source must have a default export that is a function: export default (input) => ...',
      {},
    );
  }
  const result = toJson(await run(parse(readFileSync(input, 'utf8'))));
  if ('fault' in result) return failWith('output_not_json', `the output is not JSON: ${result.fault}`, {});
  writeWhole(output, result.json);
  return leave(0);
}

const UNSETTLED = 'exited before returning a value: its promise can no longer settle, as nothing is left to wait for';
process.once('beforeExit', () => void failWith('task_failed', UNSETTLED, {}));
process.on('uncaughtException', (error) => void failed(error));
main().catch(failed);
