import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';

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

it('tells on a terminal what to type when a run waits for an approval, and ends when that was typed', async () => {
  const env = { ...process.env, LATTICE_URL: rest.url, LATTICE_API_KEY: rest.key, TERM: 'xterm', NO_COLOR: '1' };
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
