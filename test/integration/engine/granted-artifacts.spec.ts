import type { RunView } from '@lattice/contracts';
import { saveDocument } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.open({ LATTICE_WARM: '0' });
  await platform.scheduler();
  await platform.worker();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

function code(source: string, more: Record<string, unknown> = {}) {
  return { uses: 'code', with: { language: 'javascript', source, ...more } };
}
const make = code(
  'import { writeFileSync } from "node:fs"; export default () => writeFileSync(process.env.LATTICE_ARTIFACTS + "/x", "of make")',
);
const read = (file: string) =>
  code(
    'import { readFileSync } from "node:fs"; export default () => readFileSync(process.env.LATTICE_FILES + "/x", "utf8")',
    {
      files: { x: file },
    },
  );

async function other(): Promise<unknown> {
  const run = await platform.run({ name: 'other', tasks: { make } });
  return run.tasks[0]?.artifacts?.[0];
}
const outcome = ({ status, error, outputs }: RunView): unknown => error?.code ?? outputs?.['read'] ?? status;

test('an artifact of a run that has nothing to do with this one is refused, wherever its id comes from', async () => {
  const made = await other();
  const run = await platform.run({
    name: 'guesses',
    tasks: {
      guess: code(`export default () => (${JSON.stringify(made)})`),
      read: { ...read('${{ tasks.guess.output }}'), retry: { maxAttempts: 3, initialDelay: '1ms' } },
    },
  });
  expect(outcome(run)).toBe('artifact_not_granted');
  expect(run.tasks.find(({ key }) => key === 'read')).toMatchObject({ attempts: 1 });
});

test('one that the inputs name is granted, to the runs that are started there too', async () => {
  const inputs = { file: await other() };
  const document = { inputs: { file: {} }, outputs: { read: '${{ tasks.read.output }}' } };
  const plain = { ...document, name: 'asked', tasks: { read: read('${{ inputs.file }}') } };
  expect(outcome(await platform.run(plain, { inputs }))).toBe('of make');
  const each = { uses: 'map', with: { over: ['${{ inputs.file }}'], do: read('${{ each.item }}') } };
  const rounds = await platform.run({ ...document, name: 'rounds', tasks: { read: each } }, { inputs });
  expect(outcome(rounds)).toEqual(['of make']);
});

test('a sub-workflow gives its artifacts to the run that started it; nothing that it is given by a task is granted so', async () => {
  const made = await other();
  const child = { name: 'child', tasks: { make }, outputs: { file: '${{ tasks.make.artifacts["x"] }}' } };
  const reader = {
    name: 'reader',
    inputs: { file: {} },
    tasks: { read: read('${{ inputs.file }}') },
    outputs: { read: '${{ tasks.read.output }}' },
  };
  for (const document of [child, reader]) await saveDocument(platform.engine, readDocument(document));
  const up = await platform.run({
    name: 'up',
    tasks: { child: { uses: 'workflow/child' }, read: read('${{ tasks.child.output.file }}') },
    outputs: { read: '${{ tasks.read.output }}' },
  });
  expect(outcome(up)).toBe('of make');
  const down = (source: string) => ({
    name: 'down',
    tasks: { make, guess: code(source), sub: { uses: 'workflow/reader', with: { file: '${{ tasks.guess.output }}' } } },
  });
  const guessed = await platform.run(down(`export default () => (${JSON.stringify(made)})`));
  expect(guessed.tasks.find(({ key }) => key === 'sub')?.error?.message).toContain('no part of this run');
});
