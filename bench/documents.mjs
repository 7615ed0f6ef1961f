/**
 * What a document of 10,000 tasks in 100 layers costs a process that reads it: milliseconds to read and to compile it, and the heap that it takes then.
 *
 *     npm run build && node --expose-gc bench/documents.mjs
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { layered } = require('./dist/graphs.js');
const { compile, mustReadDocument } = require('@lattice/flow');

const TASKS = 10_000;
const ROUNDS = 5;

function heap() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (globalThis.gc === undefined) {
  process.stderr.write('run it with node --expose-gc\n');
  process.exit(2);
}
const text = JSON.stringify(layered(TASKS / 100, 100));
const [reading, compiling, bytes] = [[], [], []];
/** What counts must be alive when it is counted. */
const kept = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const document = JSON.parse(text);
  const before = heap();
  const start = performance.now();
  const workflow = mustReadDocument(document);
  reading.push(performance.now() - start);
  const read = performance.now();
  const plan = compile(workflow);
  compiling.push(performance.now() - read);
  kept.push({ workflow, plan });
  bytes.push(heap() - before);
}
process.stdout.write(
  `read ${median(reading).toFixed(0)} ms, compile ${median(compiling).toFixed(0)} ms, ` +
    `${(median(bytes) / TASKS).toFixed(0)} bytes of heap a task (medians of ${kept.length})\n`,
);
