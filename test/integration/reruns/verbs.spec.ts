import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl, requestFork, requestRerun, saveDocument } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';
import { runsBelow, unitsOf } from '../../support/run-tree';
import { KINDS, STATES, type Kind, type State } from './kinds';

const ANYBODY = '00000000-0000-0000-0000-000000000000';
let platform: TestPlatform;
let cases = 0;

beforeAll(async () => {
  platform = await TestPlatform.running();
  for (const { saved } of KINDS) if (saved !== undefined) await saveDocument(platform.engine, readDocument(saved));
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

/** Runs of a case, with a tag of its own in the ledger. */
interface Case {
  readonly tag: string;
  readonly file: string;
  readonly runId: string;
}

const MODES = { completed: '', failed: 'fail', cancelled: 'hold' } as const;

/** A run of `first` -> `work` -> `last` that has ended as it should. */
async function ended(kind: Kind, state: State): Promise<Case> {
  const tag = `case${(cases += 1)}`;
  const file = join(platform.folder, tag);
  if (state !== 'completed') writeFileSync(file, MODES[state]);
  const note = (task: string, value: unknown) => ({ run: '${{ run.id }}', task: `${tag}:${task}`, value });
  const runId = await platform.submit({
    name: 'verbs',
    tasks: {
      first: { uses: 'handler/note', with: note('first', 1) },
      ...kind.tasks(tag, file),
      last: { uses: 'handler/note', with: note('last', kind.gives.template), needs: 'work' },
    },
    outputs: { last: '${{ tasks.last.output }}' },
  });
  if (state === 'cancelled') {
    await eventually('it is held up', async () => {
      const held = (await unitsOf(platform, runId)).find(({ unit }) => unit === kind.obeying);
      return held?.status === 'running' ? true : undefined;
    });
    await requestCancel(platform.engine, runId, 'enough');
  }
  expect((await platform.wait(runId)).status).toBe(state);
  expect((await runsBelow(platform, runId)).filter(({ status }) => !STATES.some((final) => final === status))).toEqual(
    [],
  );
  rmSync(file, { force: true });
  return { tag, file, runId };
}

/** How often each unit was begun, by the ledger. */
function begun(tag: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { task } of readLedger(platform.ledger)) {
    if (!task.startsWith(`${tag}:`) || task.endsWith(':stopped')) continue;
    const unit = task.slice(tag.length + 1);
    counts[unit] = (counts[unit] ?? 0) + 1;
  }
  return counts;
}

/** What the ledger must say after a verb: what is done again adds one, all else stays as it was. */
function expected(before: Record<string, number>, again: readonly string[]): Record<string, number> {
  const counts = { ...before };
  for (const unit of again) counts[unit] = (counts[unit] ?? 0) + 1;
  return counts;
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Ends well, with the outputs of a run that nothing happened to. */
async function endsWell(kind: Kind, runId: string): Promise<void> {
  expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { last: kind.gives.value } });
}

const table = KINDS.flatMap((kind) => (kind.states ?? STATES).map((state) => ({ kind, state, name: kind.name })));
const open = table.filter(({ state }) => state !== 'completed');

test.each(open)(
  'retry of a run with a $name that was $state does what had not completed, once',
  async ({ kind, state }) => {
    const { tag, runId } = await ended(kind, state);
    const before = begun(tag);
    const units = await unitsOf(platform, runId);
    const done = new Set(units.filter(({ status }) => status === 'completed').map(({ unit }) => unit));
    expect(done.has('first')).toBe(true);
    expect(done.has(kind.obeying)).toBe(false);
    await requestControl(platform.engine, runId, 'retry');
    await endsWell(kind, runId);
    if (kind.noting.length > 0) {
      const again = ['last', ...kind.noting].filter((unit) => !done.has(unit));
      expect(begun(tag)).toEqual(expected(before, again));
    } else {
      const notes = (await unitsOf(platform, runId)).filter(({ unit }) => unit.endsWith('/do') || !unit.includes('/'));
      const left = notes.filter(({ unit }) => unit !== 'work' && !done.has(unit));
      expect(total(begun(tag)) - total(before)).toBe(left.length);
      expect(left.length).toBeGreaterThan(1);
      expect(left.length).toBeLessThan(notes.length - 1);
    }
  },
);

test.each(table)(
  'rerun of a $name of a run that was $state does all of it again, and what is behind',
  async ({ kind, state }) => {
    const { tag, runId } = await ended(kind, state);
    const before = begun(tag);
    await requestRerun(platform.engine, runId, { task: 'work', downstream: true });
    await endsWell(kind, runId);
    if (kind.noting.length > 0) expect(begun(tag)).toEqual(expected(before, ['last', ...kind.noting]));
    else expect(total(begun(tag)) - total(before)).toBe(9);
  },
);

test.each(table)(
  'rerun of what is before a $name of a run that was $state keeps no round of it',
  async ({ kind, state }) => {
    const { tag, runId } = await ended(kind, state);
    const before = begun(tag);
    await requestRerun(platform.engine, runId, { task: 'first', downstream: true });
    await endsWell(kind, runId);
    if (kind.noting.length > 0) expect(begun(tag)).toEqual(expected(before, ['first', 'last', ...kind.noting]));
    else expect(total(begun(tag)) - total(before)).toBe(10);
  },
);

test.each(table)(
  'a fork from a $name of a run that was $state is whole, and leaves the run alone',
  async ({ kind, state }) => {
    const { tag, runId } = await ended(kind, state);
    const before = begun(tag);
    const units = await unitsOf(platform, runId);
    const fork = await requestFork(platform.engine, { runId, from: ['work'], apiKeyId: ANYBODY });
    platform.runs.push(fork.runId);
    await endsWell(kind, fork.runId);
    if (kind.noting.length > 0) expect(begun(tag)).toEqual(expected(before, ['last', ...kind.noting]));
    else expect(total(begun(tag)) - total(before)).toBe(9);
    expect(await unitsOf(platform, runId)).toEqual(units);
    expect((await platform.read(runId)).status).toBe(state);
  },
);

test.each(KINDS.map((kind) => ({ kind, name: kind.name })))(
  'rerun of what is behind a $name leaves it alone; a retry of a completed run is refused',
  async ({ kind }) => {
    const { tag, runId } = await ended(kind, 'completed');
    const before = begun(tag);
    await expect(requestControl(platform.engine, runId, 'retry')).rejects.toMatchObject({ code: 'illegal_transition' });
    await requestRerun(platform.engine, runId, { task: 'last', downstream: true });
    await endsWell(kind, runId);
    expect(begun(tag)).toEqual(expected(before, ['last']));
  },
);
