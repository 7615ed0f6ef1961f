import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import { worker, type Worker } from '@lattice/sdk';
import { z } from 'zod';
import { CommandTest } from './support';
import { inTerminal } from './terminal';

const inputSchema = z.object({
  fail: z.number().default(0),
  hold: z.string().optional(),
  percent: z.number().optional(),
});

let test: CommandTest;
let hands: Worker;
const released = new Set<string>();
const release = new EventEmitter().setMaxListeners(0);

beforeAll(async () => {
  test = await CommandTest.open(0);
  hands = worker({
    url: test.rest.url,
    apiKey: test.rest.key,
    concurrency: 100,
    handlers: {
      // Fails so many times, tells how far it is, and waits for a word of the test.
      work: async (input, context) => {
        const { fail, hold, percent } = inputSchema.parse(input ?? {});
        if (percent !== undefined) context.progress(percent, 'half of it');
        if (hold !== undefined && !released.has(hold)) await once(release, hold);
        if (context.attempt <= fail) throw new Error(`no rows at attempt ${context.attempt}`);
        return 1;
      },
    },
  });
  await hands.connected();
});
afterAll(async () => {
  await hands.stop(0);
  await test.close();
});

const work = (input: object = {}, more: object = {}): object => ({ uses: 'handler/work', with: input, ...more });
const letGo = (name: string): void => {
  released.add(name);
  release.emit(name);
};
const write = (name: string, document: object): string => {
  test.write(`${name}.json`, JSON.stringify({ name, onFailure: 'continue', ...document }));
  return `${name}.json`;
};

/** Whatever was drawn and redrawn: nothing of it is left twice, neither on the screen nor above it. */
function titles(lines: readonly string[], name: string): number {
  return lines.filter((line) => new RegExp(`^${name} [0-9a-f]{8}-`).test(line)).length;
}

describe('progress in a terminal', () => {
  it('has a line for each of 4 tasks, with progress, tries and errors', async () => {
    const file = write('four', {
      tasks: {
        extract: work({ hold: 'four', percent: 50 }),
        again: work({ fail: 1 }, { retry: { maxAttempts: 2, initialDelay: '10ms' } }),
        broken: work({ fail: 9 }),
        load: work({}, { needs: 'extract' }),
      },
    });
    const terminal = inTerminal(test, ['run', file], { columns: 100, rows: 24 });
    await terminal.shows(/⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏ extract {2}running .* ━{10}─{10} {3}50 % {2}half of it$/);
    await terminal.shows(/^ ✔ again {4}completed .* attempt 2$/);
    await terminal.shows(/^ ✖ broken {3}failed .* no rows at attempt 1$/);
    await terminal.shows(/^ · load {5}pending$/);
    await terminal.shows(/running {2}2 of 4 done .* Ctrl-C stops watching, not the run$/);
    letGo('four');
    expect(await terminal.ended).toBe(1);
    expect(titles(terminal.screen.all, 'four')).toBe(1);
    expect(terminal.screen.cursorShown).toBe(true);
    const { all } = terminal.screen;
    expect(all).toContainEqual(expect.stringMatching(/^ ✖ failed {2}4 of 4 done/));
    expect(all).toContainEqual(expect.stringMatching(/^✖ four failed after .* \(4 tasks, 1 failed\)$/));
  });

  it('takes 40 tasks together by their names, and keeps its height', async () => {
    const stage = (name: string, needs: string[]): [string, object][] =>
      Array.from({ length: 10 }, (_, n) => [
        `${name}_${n}`,
        work(name === 'train' && n < 3 ? { hold: 'forty' } : { fail: name === 'score' && n === 4 ? 9 : 0 }, { needs }),
      ]);
    const file = write('forty', {
      tasks: Object.fromEntries([
        ...stage('load', []),
        ...stage('score', []),
        ...stage('train', ['load_0']),
        ...stage('report', ['train_0']),
      ]),
    });
    const terminal = inTerminal(test, ['run', file], { columns: 100, rows: 24 });
    await terminal.shows(/^ ✔ load {4}━{20} {2}10 of 10$/);
    await terminal.shows(/^ ✖ score {3}━{20} {2}10 of 10 {2}1 failed$/);
    await terminal.shows(/ train {3}━{14}─{6} {3}7 of 10 {2}3 running$/);
    await terminal.shows(/^ · report {2}─{20} {3}0 of 10$/);
    await terminal.shows(/^ ✖ score_4 {2}failed .* no rows at attempt 1$/);
    await terminal.shows(/ train_2 {2}running /);
    expect(terminal.screen.shown.length).toBeLessThan(20);
    letGo('forty');
    expect(await terminal.ended).toBe(1);
    expect(titles(terminal.screen.all, 'forty')).toBe(1);
    expect(terminal.screen.all.filter((line) => /^ . score_4 /.test(line))).toEqual([]);
  });

  it('shows 1,000 tasks on a few lines, and writes little', async () => {
    const items = Array.from({ length: 1_000 }, (_, n): [string, object] => [
      `item_${n}`,
      work(
        { fail: n === 7 ? 9 : n % 100 === 1 ? 1 : 0, ...(n === 999 ? { hold: 'thousand' } : {}) },
        {
          retry: { maxAttempts: 2, initialDelay: '10ms' },
        },
      ),
    ]);
    const collect = { uses: 'transform', with: 1, needs: items.map(([key]) => key), trigger: 'all-done' };
    const file = write('thousand', { tasks: { ...Object.fromEntries(items), collect } });
    const terminal = inTerminal(test, ['run', file], { columns: 80, rows: 20 });
    await terminal.shows(/ item {5}━{19}─ {3}999 of 1000 {2}1 failed, 1 running$/);
    await terminal.shows(/^ ✖ item_7 {4}failed .* attempt 2: no rows at attempt 2$/);
    await terminal.shows(/^ · collect {2}─{20} {5}0 of 1$/);
    expect(terminal.screen.shown.length).toBeLessThan(13);
    letGo('thousand');
    expect(await terminal.ended).toBe(1);
    expect(titles(terminal.screen.all, 'thousand')).toBe(1);
    expect(terminal.screen.all).toContainEqual(expect.stringMatching(/^✖ thousand failed after .* 1 failed\)$/));
  });

  it('shows how far a map of 1,000 items is', async () => {
    const body = work({ hold: '${{ each.item == 999 ? "map" : "no" }}' });
    letGo('no');
    const file = write('mapped', {
      tasks: {
        each: { uses: 'map', with: { over: Array.from({ length: 1_000 }, (_, n) => n), concurrency: 200, do: body } },
      },
    });
    const terminal = inTerminal(test, ['run', file], { columns: 90, rows: 20 });
    await terminal.shows(/ each {2}running .*[━─]{20} {2,4}\d+ % {2}\d+ of 1000$/);
    letGo('map');
    expect(await terminal.ended).toBe(0);
    expect(titles(terminal.screen.all, 'mapped')).toBe(1);
  });

  it('fits into 40 columns, and is drawn anew when the terminal changes its size', async () => {
    const tasks = Object.fromEntries(
      Array.from({ length: 6 }, (_, n) => [`a_task_of_a_rather_long_name_${n}`, work({ hold: 'narrow', percent: 50 })]),
    );
    const terminal = inTerminal(test, ['run', write('narrow', { tasks })], { columns: 40, rows: 12 });
    await terminal.shows(/ a_task_of_a_rather_long_\w*…/);
    await terminal.resize(100, 30);
    await terminal.shows(/ a_task_of_a_rather_long_name_5 {2}running .*━{10}─{10}/);
    await terminal.resize(50, 20);
    await terminal.shows(/ running {2}0 of 6 done {2}[\d.]+ m?s$/);
    expect(titles(terminal.screen.shown, 'narrow')).toBe(1);
    letGo('narrow');
    expect(await terminal.ended).toBe(0);
    expect(titles(terminal.screen.all, 'narrow')).toBe(1);
  });

  it('says at Ctrl-C how to cancel, and gives the cursor back', async () => {
    const file = write('interrupted', { tasks: { long: work({ hold: 'interrupted' }) } });
    const terminal = inTerminal(test, ['run', file], { columns: 100, rows: 24 });
    await terminal.shows(/ long {2}running/);
    expect(terminal.screen.cursorShown).toBe(false);
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    const cancel = await terminal.shows(/cancel it: +lattice runs cancel [0-9a-f-]{36}$/);
    expect(terminal.screen.cursorShown).toBe(true);
    const runId = /[0-9a-f-]{36}$/.exec(cancel)?.[0] ?? '';
    expect((await test.lattice('runs', 'cancel', runId)).out).toBe(`run ${runId} is cancelled\n`);
  });

  it('has colours unless NO_COLOR is set, and plain lines where nothing can be redrawn', async () => {
    const file = write('plain', { tasks: { one: work({ percent: 50 }), two: work() } });
    const coloured = inTerminal(test, ['run', file], { columns: 80, rows: 24 });
    await coloured.ended;
    expect(coloured.written()).toContain('\u001b[32m');
    const plain = inTerminal(test, ['run', file], { columns: 80, rows: 24, env: { NO_COLOR: '1' } });
    await plain.ended;
    expect(plain.written()).not.toMatch(/\u001b\[[\d;]*m/);
    const dumb = inTerminal(test, ['run', file], { columns: 80, rows: 24, env: { TERM: 'dumb' } });
    await dumb.ended;
    expect(dumb.written()).not.toContain('\u001b');
    const piped = await test.lattice('run', file);
    expect(piped.out).toMatch(/^\+0\.000s run\.created plain /);
    expect(piped.out).toMatch(/^\+\d\.\d{3}s task\.completed two \(\d+ ms\)$/m);
    expect(piped.out).not.toContain('\u001b');
    const json = await test.lattice('run', file, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ status: 'completed', tasks: [{ key: 'one' }, { key: 'two' }] });
    expect(json.err).toBe('');
  });
});
