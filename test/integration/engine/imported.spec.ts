import { importCodomyrmex } from '@lattice/importers';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterAll(() => platform.close());

it('runs a workflow of Codomyrmex: references, inputs, conditions, texts', async () => {
  const imported = importCodomyrmex({
    name: 'sums',
    steps: [
      { name: 'first sum', action: 'add', parameters: { a: 2, b: '{{b}}' } },
      { name: 'second', action: 'add', parameters: { a: '{{first sum.output}}', b: 10 }, max_retries: 1, timeout: 20 },
      { name: 'small', action: 'echo', parameters: {}, run_if: 'second.output < 10 or not (second.output > 0)' },
      {
        name: 'large',
        action: 'echo',
        parameters: { said: 'is {{second.output}}, not ${{ 1 }}' },
        run_if: 'second.output >= 10',
      },
    ],
  });
  if (!imported.ok) throw new Error(JSON.stringify(imported.faults));
  const run = await platform.run(imported.workflow, { inputs: { b: 3 } });
  expect(run.tasks.map(({ key, status, output }) => [key, status, output])).toEqual([
    ['first_sum', 'completed', 5],
    ['second', 'completed', 15],
    ['small', 'skipped', null],
    ['large', 'completed', { said: 'is 15, not ${{ 1 }}' }],
  ]);
});
