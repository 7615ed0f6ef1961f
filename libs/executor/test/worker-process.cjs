// A worker to be killed: reaps, runs one task from TypeScript sources, prints what the task logs, and waits.
//   argv: workerId, workRoot, level, JavaScript source (or image and command as JSON for level docker), memory for what is started ahead
const swc = require('@swc/core');
const { readFileSync } = require('node:fs');

require.extensions['.ts'] = (module, filename) => {
  const { code } = swc.transformSync(readFileSync(filename, 'utf8'), {
    filename,
    configFile: false,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

const [workerId, workRoot, level, program, warmBytes = '0'] = process.argv.slice(2);
const { createExecutors } = require('../src/index.ts');
const executors = createExecutors({ workerId, workRoot, warmBytes: Number(warmBytes) });
// It lives until it is killed.
setInterval(() => undefined, 60_000);
const parsed = JSON.parse(program);
const task = {
  id: 'run.0.task.1',
  input: null,
  env: {},
  limits: { graceMs: 100, outputBytes: 1_000, logBytes: 10_000 },
  onLog: ({ text }) => process.stdout.write(text),
  ...parsed,
};
void executors.reapOrphans().then(() => executors.forTask(parsed.uses, level).submit(task));
