import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';

const run = promisify(execFile);
const bin = join(__dirname, '..', '..', '..', 'libs', 'cli', 'bin', 'lattice.js');
const ASK = { name: 'ask', tasks: { ask: { uses: 'wait', with: { approval: { message: 'Publish it?' } } } } };

let platform: TestPlatform;
let rest: Rest;
const folder = mkdtempSync(join(tmpdir(), 'lattice-waiting-'));
beforeAll(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
  rest = await openRest(platform);
  writeFileSync(join(folder, 'ask.json'), JSON.stringify(ASK));
});
afterAll(async () => {
  await rest.close();
  await platform.close();
  rmSync(folder, { recursive: true });
});

const environment = () => ({
  ...process.env,
  LATTICE_URL: rest.url,
  LATTICE_API_KEY: rest.key,
  TERM: 'xterm',
  NO_COLOR: '1',
});

it('tells on a terminal what to type when a run waits for an approval, and ends when that was typed', async () => {
  const env = environment();
  // A real terminal, as `script` makes one.
  const typed = `stty cols 100 rows 30; '${process.execPath}' '${bin}' run '${join(folder, 'ask.json')}'`;
  const watching = spawn('script', ['-qec', typed, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let shown = '';
  watching.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => watching.once('exit', resolve));
  const command = await eventually(
    'the command is shown',
    async () => /lattice (runs approve (\S+) ask)/.exec(shown) ?? undefined,
  );
  expect(shown).toContain('ask waits for an approval: Publish it?');
  const answer = { approved: true };
  await rest.json(202, `/v1/runs/${command[2] ?? ''}/signals/ask`, { method: 'POST', body: answer });
  expect(await ended).toBe(0);
  expect(shown.match(/waits for an approval/g)).toHaveLength(1);
  expect(shown).toMatch(/completed +1 of 1 done/);
});

const TWO = {
  name: 'two',
  inputs: { question: { type: 'string' } },
  tasks: {
    ask: { uses: 'wait', with: { approval: { message: '${{ inputs.question }}' } } },
    hold: { uses: 'wait', with: { signal: 'go' } },
    after: { uses: 'transform', needs: 'ask', with: 1 },
  },
};
const waits = async (runId: string) => {
  const { tasks } = await platform.read(runId);
  return Object.fromEntries(tasks.flatMap(({ key, waitsFor }) => (waitsFor === undefined ? [] : [[key, waitsFor]])));
};

it('shows with the tasks what they wait for, also while the run is paused, and no more when they have it', async () => {
  const runId = await platform.submit(TWO, { inputs: { question: 'Publish\u0000 it?' } });
  const asked = { ask: { signal: 'ask', message: 'Publish\u0000 it?' }, hold: { signal: 'go' } };
  await eventually('both wait', async () => isDeepStrictEqual(await waits(runId), asked) || undefined);
  await rest.json(202, `/v1/runs/${runId}/pause`, { method: 'POST' });
  await eventually('it is paused', async () => (await platform.read(runId)).status === 'paused' || undefined);
  expect(await waits(runId)).toEqual(asked);
  const { stdout: shown } = await run(process.execPath, [bin, 'runs', 'get', runId], { env: environment() });
  expect(shown).toMatch(/ask waits for an approval: Publish it\?\n {2}yes: .*runs approve \S+ ask\n {2}no: /);
  expect(shown).toMatch(/hold waits for a signal: go\n {2}send: .*runs signal \S+ go/);
  const report = await rest.call(`/v1/runs/${runId}/report?format=markdown`);
  expect(await report.text()).toMatch(/\| hold \| running \|.*\| waits for a signal: go \|/);
  await rest.json(202, `/v1/runs/${runId}/resume`, { method: 'POST' });
  await rest.json(202, `/v1/runs/${runId}/signals/go`, { method: 'POST', body: 1 });
  await eventually('one waits', async () => isDeepStrictEqual(await waits(runId), { ask: asked.ask }) || undefined);
  await rest.json(202, `/v1/runs/${runId}/signals/ask`, { method: 'POST', body: { approved: true } });
  await platform.wait(runId);
  expect(await waits(runId)).toEqual({});
});
