import { POISONS } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ environment: { LATTICE_MAX_OUTPUT: '1Mi' } });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

/** A task that gives the value, one that gets it, and an output of the run that repeats it. */
function passing(kind: string) {
  return {
    name: 'passing',
    tasks: {
      a: { uses: 'handler/poison', with: { kind } },
      b: { uses: 'handler/echo', with: { input: '${{ tasks.a.output }}' } },
    },
    outputs: { value: '${{ tasks.b.output }}' },
  };
}

const passes = ['null', 'undefined', 'nul', 'surrogate', 'big', 'wide', 'at', 'empty', 'proto', 'nested'];

test.each(passes)('an output %s comes through unchanged', async (kind) => {
  const run = await platform.run(passing(kind));
  const value = POISONS[kind]?.() ?? null;
  expect([run.status, run.error]).toEqual(['completed', null]);
  expect(JSON.stringify(run.tasks.map(({ output }) => output))).toEqual(JSON.stringify([value, value]));
  expect(JSON.stringify(run.outputs)).toEqual(JSON.stringify({ value }));
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test.each([
  ['nan', 'output_not_json'],
  ['cycle', 'output_not_json'],
  ['deep', 'output_not_json'],
  ['tooLarge', 'output_too_large'],
])('an output %s is refused as %s', async (kind, code) => {
  const run = await platform.run(passing(kind));
  expect(run).toMatchObject({ status: 'failed', error: { code } });
  expect(run.tasks).toMatchObject([
    { status: 'failed', attempts: 1, error: { code } },
    { status: 'cancelled', attempts: 0 },
  ]);
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('a value of an expression that does not fit its field fails the task at once and says so', async () => {
  const run = await platform.run({
    name: 'unfit',
    tasks: {
      a: { uses: 'handler/echo', with: { list: [1] } },
      b: {
        uses: 'code',
        with: { language: 'javascript', source: 'export default () => 1' },
        env: { LIST: '${{ tasks.a.output.list }}' },
      },
    },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } });
  expect(run.tasks[1]).toMatchObject({ attempts: 1, error: { code: 'expression_failed' } });
});

test('a condition that is no truth value fails its task, and the run ends at once', async () => {
  const from = Date.now();
  const run = await platform.run({
    name: 'unfit',
    tasks: {
      a: { uses: 'handler/echo', with: { n: 1 } },
      b: { uses: 'handler/noop', if: '${{ tasks.a.output.n }}' },
      c: { uses: 'handler/noop', needs: 'b' },
      first: { uses: 'handler/noop', if: '${{ inputs.x }}' },
    },
    inputs: { x: { default: 3 } },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } });
  expect(run.tasks.map(({ status }) => status)).toContain('cancelled');
  expect(Date.now() - from).toBeLessThan(4_000);
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('an output of the run that can not be made fails the run, not the scheduler', async () => {
  const run = await platform.run({
    name: 'unfit',
    tasks: { a: { uses: 'handler/echo', with: { n: 1 } } },
    outputs: { x: '${{ tasks.a.output.nothing.at.all }}' },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } });
});

test('a value that no variable of an environment can hold fails the task that was to get it, and is never cut', async () => {
  const reads = (value: string): object => ({
    uses: 'code',
    with: { language: 'javascript', source: 'export default () => process.env.X' },
    env: { X: value },
  });
  const run = await platform.run({
    name: 'variables',
    onFailure: 'continue',
    inputs: { nul: { default: 'a\u0000b' }, list: { default: [1] }, none: {}, number: { default: 1.5 } },
    tasks: Object.fromEntries(['nul', 'list', 'none', 'number'].map((name) => [name, reads(`\${{ inputs.${name} }}`)])),
  });
  const of = (name: string): object | undefined => run.tasks.find(({ key }) => key === name);
  const wrong = { status: 'failed', output: null };
  expect(of('nul')).toMatchObject({ ...wrong, error: { message: expect.stringContaining('env.X') as string } });
  expect(of('list')).toMatchObject({
    ...wrong,
    error: { code: 'expression_failed', message: expect.stringContaining('expected string or number') as string },
  });
  expect(of('none')).toMatchObject({ output: '' });
  expect(of('number')).toMatchObject({ output: '1.5' });
});
