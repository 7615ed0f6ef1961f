import fc from 'fast-check';
import { importCodomyrmex, type Imported } from '../index';

function imported(value: unknown): Extract<Imported, { ok: true }> {
  const result = importCodomyrmex(value);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result;
}

const codesOf = (value: unknown): string[] => {
  const result = importCodomyrmex(value);
  return result.ok ? [] : result.faults.map(({ code, pointer }) => `${code} ${pointer}`);
};

const step = (name: string, more: Record<string, unknown> = {}) => ({ name, module: 'm', action: 'a', ...more });

it('makes tasks of steps, with what they have', () => {
  const { workflow, notes, keys } = imported({
    name: 'nightly report',
    description: 'what it is',
    steps: [
      {
        name: 'fetch data',
        module: 'data.loader',
        action: 'load',
        parameters: { url: '{{url}}', limit: 5, literal: 'costs ${{ 3 }}', price: 'is ${{url}}' },
        dependencies: [],
        timeout: 60,
        max_retries: 2,
      },
      step('count', {
        parameters: {
          rows: '{{fetch data.output.rows}}',
          title: 'Rows of {{ url }}: {{fetch data}}',
          odd: '{{ a | b }}',
        },
        run_if: 'fetch data.output.rows',
        timeout: 0.5,
        retry_policy: { max_attempts: 4, initial_delay: 0.25, exponential_base: 3, max_delay: 9 },
      }),
      step('report', {
        parameters: null,
        dependencies: ['count'],
        run_if: 'not (count.output.rows <= 0) and url is not None',
        required: false,
        priority_class: 'low',
      }),
    ],
  });
  expect(workflow).toEqual({
    name: 'nightly-report',
    description: 'what it is',
    inputs: { url: { type: 'any', required: true } },
    tasks: {
      fetch_data: {
        uses: 'handler/data.loader.load',
        with: {
          url: '${{ inputs.url }}',
          limit: 5,
          literal: 'costs $${{ 3 }}',
          price: "is ${{ '$' }}${{ inputs.url }}",
        },
        timeout: '60s',
        retry: { maxAttempts: 3, initialDelay: '1s', factor: 2, maxDelay: '60s', jitter: false },
      },
      count: {
        uses: 'handler/m.a',
        with: {
          rows: '${{ tasks.fetch_data.output.rows }}',
          title: 'Rows of ${{ inputs.url }}: ${{ tasks.fetch_data.output }}',
          odd: '{{ a | b }}',
        },
        timeout: '500ms',
        retry: { maxAttempts: 4, initialDelay: '250ms', factor: 3, maxDelay: '9s', jitter: false },
      },
      report: {
        uses: 'handler/m.a',
        with: {},
        needs: ['count'],
        if: '${{ (!((tasks.count.output.rows <= 0)) && inputs.url != null) }}',
        metadata: { priority_class: 'low' },
      },
    },
    metadata: { importedFrom: { format: 'codomyrmex', name: 'nightly report' } },
  });
  expect(keys).toEqual({ 'fetch data': 'fetch_data' });
  expect(notes).toEqual([
    'Each step uses the handler MODULE.ACTION: a worker has to offer it.',
    'The workflow "nightly report" is named "nightly-report" here.',
    'Names that are no steps are inputs of the workflow: url.',
    'Steps that refer to others which they do not name as dependencies wait for them: count.',
    'Left as text, for nothing here is that: {{ 3 }} {{ a | b }}',
    'Step "count" has a condition that can\'t be said here, so it always runs: fetch data.output.rows',
    'Step "report" is not required there; here its failure ends the run.',
    'Step "report": kept as metadata, without effect: priority_class.',
  ]);
});

it('carries over how steps are tried again, and notes what is not', () => {
  const policy = { max_attempts: 2, jitter: 0.3, retry_on: ['TimeoutError'], on_giveup: 'log' };
  const { workflow, notes } = imported({
    name: 'x',
    steps: [
      step('a', { retry_policy: policy, max_retries: 7, retry_delay: 1, metadata: 'by hand' }),
      step('b', { retry_policy: { jitter: 'full', retry_on: 'any' } }),
      step('c', { max_retries: 1, retries: 2, retry_delay: 3, metadata: ['x'] }),
      step('d', { retry_delay: 3, metadata: { owner: 'me' } }),
    ],
  });
  const rest = { factor: 2, maxDelay: '60s' };
  expect(Object.values(workflow.tasks).map(({ retry, metadata }) => [retry, metadata])).toEqual([
    [{ maxAttempts: 2, initialDelay: '1s', ...rest, jitter: 0.3, retryOn: ['TimeoutError'] }, { metadata: 'by hand' }],
    [{ maxAttempts: 3, initialDelay: '1s', ...rest, jitter: false }, undefined],
    [{ maxAttempts: 2, initialDelay: '3s', ...rest, jitter: false }, { metadata: ['x'] }],
    [undefined, { owner: 'me' }],
  ]);
  expect(notes.slice(1)).toEqual([
    'Step "a": not carried over: on_giveup, of its retry_policy, for nothing here is that.',
    'Step "a": it is tried again on TimeoutError: its handler has to fail with such codes or classes.',
    'Step "a": not carried over: max_retries, retry_delay, for there is a retry_policy.',
    'Step "a": kept as metadata, without effect: metadata.',
    'Step "b": not carried over: jitter, retry_on, of its retry_policy, for nothing here is that.',
    'Step "c": not carried over: retries, for there is max_retries.',
    'Step "c": kept as metadata, without effect: metadata.',
    'Step "d": not carried over: retry_delay, for it is not tried again.',
    'Step "d": kept as metadata, without effect: owner.',
  ]);
});

it('tells all faults with their places', () => {
  expect(
    codesOf({
      name: 'x',
      steps: [step('a', { dependencies: ['b', 'a'] }), step('a'), step('c', { dependencies: ['d'] })],
    }),
  ).toEqual([
    'duplicate /steps/1/name',
    'unknown_dependency /steps/0/dependencies/0',
    'unknown_dependency /steps/2/dependencies/0',
  ]);
  expect(codesOf({ steps: [{}, step('b', { timeout: -1 })] })).toEqual(['missing_field /name']);
  expect(codesOf({ name: 'x', steps: [{ action: 'a' }, step('b', { timeout: -1 })] })).toEqual([
    'missing_field /steps/0/name',
    'bad_value /steps/1/timeout',
  ]);
  expect(codesOf({ name: 'x', tasks: [] })).toEqual(['bad_value /tasks']);
  expect(
    codesOf({ name: 'x', steps: [step('a', { dependencies: ['b'] }), step('b', { dependencies: ['a'] })] }),
  ).toEqual([expect.stringMatching(/^cycle/)]);
});

it('never throws, and gives documents that can be read, whatever is in the file', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom('{{a}}', '{{a.output.x}}', '${{', '{{}}', 'a and not b', '{{ a.output[0] }}'),
  );
  const steps = fc.array(
    fc.record({
      name: fc.oneof(fc.constantFrom('a', 'b', 'in', '__proto__'), texts),
      module: texts,
      action: texts,
      parameters: fc.dictionary(texts, fc.oneof(texts, fc.jsonValue())),
      dependencies: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
      run_if: fc.option(texts),
      timeout: fc.option(fc.double()),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(fc.property(fc.record({ name: texts, steps }), (file) => void importCodomyrmex(file)));
  fc.assert(fc.property(fc.jsonValue(), (file) => void importCodomyrmex(file)));
});

it('reads references within conditions, of steps with spaces and in quotes too', () => {
  const { workflow, notes } = imported({
    name: 'w',
    steps: [
      step('count words'),
      step('b', { run_if: "{{count words.output.n}} > 5 and {{ mode }} != 'x'" }),
      step('c', { run_if: '\'{{count words.output.text}}\' == "done"' }),
      step('d', { run_if: "'is {{count words.output.text}}' == 'is done'" }),
      step('e', { run_if: 'lambda: {{count words}}' }),
    ],
  });
  expect(workflow.tasks).toMatchObject({
    b: { if: '${{ (tasks.count_words.output.n > 5 && inputs.mode != "x") }}' },
    c: { if: '${{ string(tasks.count_words.output.text) == "done" }}' },
    d: { needs: ['count_words'] },
    e: { needs: ['count_words'] },
  });
  expect(workflow.tasks['d']).not.toHaveProperty('if');
  expect(notes.filter((note) => note.includes("can't be said"))).toHaveLength(2);
});

it('takes the time limit of a workflow, and that it goes on after a failure', () => {
  const { workflow, notes } = imported({ name: 'w', timeout: 90, fail_fast: false, steps: [step('a')] });
  expect(workflow).toMatchObject({ timeout: '90s', onFailure: 'continue' });
  expect(notes).toHaveLength(1);
  const odd = imported({ name: 'w', timeout: 'soon', fail_fast: 'no', steps: [step('a')] });
  expect(odd.workflow).not.toHaveProperty('onFailure');
  expect(odd.notes).toContain('Kept as metadata of the workflow, without effect: timeout, fail_fast.');
});
