import { importStation, type Imported } from '../index';

function imported(states: unknown[]): Extract<Imported, { ok: true }> {
  const result = importStation({ id: 'w', states });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result;
}

const inject = { id: 'i', type: 'inject', data: { x: 1 } };

it('carries over what a branch of one agent has, as of a state', () => {
  const retry = { max_attempts: 2, backoff: '5s' };
  const { workflow, notes } = imported([
    {
      id: 'p',
      type: 'parallel',
      branches: [
        { name: 'a', agent: 'x', task: 'do y', input: { k: 1 }, timeout: '30s', retry, color: 'red', next: 'b' },
        { name: 'b', agent: 'x', prompt: 'ask' },
        { name: 'c', agent: 'z', task: 'lost', states: [inject] },
      ],
    },
  ]);
  expect(workflow.tasks['a']).toEqual({
    uses: 'handler/agent.x',
    with: { task: 'do y', k: 1 },
    timeout: '30s',
    retry: { maxAttempts: 2, initialDelay: '5s', factor: 1, maxDelay: '60s', jitter: false },
    metadata: { color: 'red' },
  });
  expect(workflow.tasks['b']).toMatchObject({ with: { task: 'ask' } });
  expect(notes).toEqual(
    expect.arrayContaining([
      'State "a": kept as metadata, without effect: color.',
      'State "p", branch "a": not carried over: next.',
      'State "p", branch "c": not carried over: agent, task.',
    ]),
  );
  expect(
    importStation({ id: 'w', states: [{ id: 'p', type: 'parallel', branches: [{ agent: 'x', timeout: 'soon' }] }] }),
  ).toMatchObject({ ok: false, faults: [{ code: 'bad_duration', pointer: '/states/0/branches/0/timeout' }] });
});

it('gives the agent of a foreach its task, and notes what is left of its blocks', () => {
  const { workflow, notes } = imported([
    {
      id: 'each',
      type: 'foreach',
      itemsPath: '$.list',
      agent: 'x',
      task: 'of {{ item }}',
      input: { k: 1 },
      next: 'all',
    },
    {
      id: 'all',
      type: 'foreach',
      itemsPath: '$.list',
      agent: 'x',
      iterator: { states: [inject], mode: 'fast' },
      next: 't',
    },
    {
      id: 't',
      type: 'try',
      try: { states: [inject], limit: 1 },
      catch: { states: [inject], on: 'x' },
      finally: { states: [inject], a: 1 },
    },
  ]);
  expect(workflow.tasks['each']?.with).toMatchObject({
    do: { uses: 'handler/agent.x', with: { task: 'of ${{ each.item }}' } },
  });
  expect(notes).toEqual(
    expect.arrayContaining([
      'State "each": kept as metadata, without effect: input.',
      'State "all": kept as metadata, without effect: agent.',
      'State "all", iterator: not carried over: mode.',
      'State "t", try: not carried over: limit.',
      'State "t", catch: not carried over: on.',
      'State "t", finally: not carried over: a.',
    ]),
  );
});
