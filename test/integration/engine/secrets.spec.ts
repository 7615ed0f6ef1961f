import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { removeSecret, rotateSecrets, setSecret } from '@lattice/engine';
import { readSettings } from '@lattice/config';
import { TestPlatform } from '../../support/platform';

const OLD = 'lsk_old_0123456789abcdef0123456789abcdef';
const NEW = 'lsk_new_0123456789abcdef0123456789abcdef';
const TOKEN = 'correct-horse/battery+staple';
const PEM = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n';
const RETRY = { maxAttempts: 3, initialDelay: '1ms' };

/** Prints what it is given in all ways that come to mind, some of it in two halves. */
const SOURCE = `
const { TOKEN, PEM } = process.env;
export default async ({ fail }) => {
  process.stdout.write('raw ' + TOKEN.slice(0, 9));
  await new Promise((resolve) => setTimeout(resolve, 250));
  process.stdout.write(TOKEN.slice(9) + ' end\\n');
  console.log(Buffer.from('user:' + TOKEN).toString('base64'), encodeURIComponent(TOKEN), JSON.stringify({ PEM }));
  console.error(PEM, Buffer.from(PEM).toString('base64'));
  if (fail) throw Object.assign(new Error('refused: ' + TOKEN), { details: { TOKEN } });
  return { token: TOKEN, [TOKEN]: [PEM], length: TOKEN.length };
};`;

const telling = {
  name: 'telling',
  inputs: { fail: { type: 'boolean', default: false } },
  tasks: {
    tell: {
      uses: 'code',
      with: { language: 'javascript', source: SOURCE, input: { fail: '${{ inputs.fail }}' } },
      env: { TOKEN: '${{ secrets.TOKEN }}', PEM: '${{ secrets.PEM }}' },
    },
  },
  outputs: { told: '${{ tasks.tell.output }}' },
};

let platform: TestPlatform;
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) =>
    response.writeHead(request.url === '/no' ? 403 : 200).end(`hello ${request.headers.authorization}`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  platform = await TestPlatform.running({ environment: { LATTICE_SECRETS_KEY: OLD } });
  await setSecret(platform.engine, 'TOKEN', TOKEN);
  await setSecret(platform.engine, 'PEM', PEM);
});
afterAll(async () => {
  await platform.close();
  server.close();
});

/** Everything that is stored anywhere: each row of each table, each key of Redis. */
async function everything(): Promise<string> {
  const { db, queue, settings } = platform.engine;
  const tables = await db.query(`select tablename from pg_tables where schemaname = 'public'`);
  const rows = await Promise.all(
    tables.map(({ tablename }) => db.query(`select row_to_json(t)::text as row from "${String(tablename)}" t`)),
  );
  const keys = await queue.redis.keys(`${settings.prefix}*`);
  const dumps = await Promise.all(keys.map(async (key) => (await queue.redis.dumpBuffer(key))?.toString('latin1')));
  return [...rows.flat().map(({ row }) => String(row)), ...dumps].join('\n');
}

/** No half of it may be found, nor what base64 makes of its middle. */
function expectNowhere(text: string): void {
  for (const part of [TOKEN.slice(0, 14), TOKEN.slice(14), 'MIIEvQIBADANB', 'correct-horse%2F', 'horse\\/'])
    expect(text).not.toContain(part);
  for (const offset of ['', 'x', 'xx'])
    expect(text).not.toContain(
      Buffer.from(offset + TOKEN)
        .toString('base64')
        .slice(4, 20),
    );
}

async function logOf(runId: string): Promise<string> {
  const events = await platform.events(runId);
  return events.flatMap(({ type, data }) => (type === 'task.log' ? [String(data['text'])] : [])).join('');
}

test('a secret reaches the task, and nothing of it anything else', async () => {
  const run = await platform.run(telling);
  expect(run.outputs).toEqual({ told: { token: '***', '***': ['***'], length: TOKEN.length } });
  const log = await logOf(run.runId);
  expect(log).toMatch(/raw \*\*\* end\n/);
  expectNowhere(JSON.stringify(await platform.events(run.runId)));
});

test('an error that tells of a secret is masked, also in what it is caused by', async () => {
  const run = await platform.run(telling, { inputs: { fail: true } });
  expect(run.status).toBe('failed');
  expect(run.tasks[0]?.error?.message).toContain('refused: ***');
  expectNowhere(JSON.stringify([run, await platform.events(run.runId)]));
});

test('a handler is given its env, and what it says is masked', async () => {
  const env = { TOKEN: '${{ secrets.TOKEN }}', BOTH: 'a:${{ secrets.TOKEN }}', PLAIN: 'plain' };
  const tell = (input: string) => ({ name: 'h', tasks: { a: { uses: 'handler/tell', with: { input }, env } } });
  const run = await platform.run(tell('return'));
  expect(run.tasks[0]?.output).toEqual({ TOKEN: '***', BOTH: 'a:***', PLAIN: 'plain' });
  expect(await logOf(run.runId)).toBe('*** a:*** plain\n');
  const progress = (await platform.events(run.runId)).find(({ type }) => type === 'task.progress');
  expect(progress?.data).toEqual({ percent: 50, text: '*** a:*** plain' });
  const failed = await platform.run(tell('throw'));
  expect(failed.tasks[0]?.error?.message).toBe('*** a:*** plain');
  expectNowhere(JSON.stringify([failed, await platform.events(failed.runId)]));
});

test('a request has a secret in its headers; what the server says of it is masked', async () => {
  const call = (path: string) => ({
    name: 'calling',
    tasks: {
      a: { uses: 'http', with: { url: base + path, headers: { authorization: 'Bearer ${{ secrets.TOKEN }}' } } },
    },
  });
  const run = await platform.run(call('/'));
  expect(run.tasks[0]?.output).toMatchObject({ body: 'hello Bearer ***' });
  const refused = await platform.run(call('/no'));
  expect(refused.tasks[0]?.error).toMatchObject({ code: 'http_status', details: { body: 'hello Bearer ***' } });
});

test('a kept result is masked, and its key does not hang on the value', async () => {
  const cached = { ...telling, tasks: { tell: { ...telling.tasks.tell, cache: {} } } };
  await platform.run(cached);
  const again = await platform.run(cached);
  expect(again.tasks[0]).toMatchObject({ output: { token: '***' } });
  expect((await platform.events(again.runId)).find(({ type }) => type === 'task.completed')?.data).toMatchObject({
    cached: true,
  });
});

test('nothing of a secret is anywhere in Postgres or Redis', async () => {
  expectNowhere(await everything());
});

test('a secret that is not stored ends the task for good, and is named', async () => {
  const env = { A: '${{ secrets.TOKEN }}', B: '${{ secrets.NOBODY }}', C: '${{ secrets.EITHER }}' };
  const run = await platform.run({ name: 'm', tasks: { a: { uses: 'handler/tell', env, retry: RETRY } } });
  expect(run.tasks[0]).toMatchObject({
    attempts: 1,
    error: { code: 'secret_missing', message: 'the task uses secrets NOBODY, EITHER, which are not stored' },
  });
});

test('a worker without the right key fails tasks with secrets, tells why, and does all others', async () => {
  await platform.stopParts();
  await platform.scheduler();
  const env = { A: '${{ secrets.TOKEN }}' };
  const both = {
    name: 'k',
    onFailure: 'continue',
    tasks: { a: { uses: 'handler/tell', env }, b: { uses: 'handler/noop' } },
  };
  const other = await platform.worker({ env: { LATTICE_SECRETS_KEY: NEW } });
  const wrong = await platform.run(both);
  expect(wrong.tasks[0]?.error).toMatchObject({
    code: 'secrets_key_wrong',
    message: expect.stringMatching(
      /^secret TOKEN is encrypted with key [0-9a-f]{12}, which this process does not have/,
    ),
  });
  expect(wrong.tasks[1]?.status).toBe('completed');
  await other.stop();
  await platform.worker({ env: { LATTICE_SECRETS_KEY: '' } });
  const missing = await platform.run(both);
  expect(missing.tasks[0]?.error).toMatchObject({ code: 'secrets_key_missing' });
});

test('the key is changed while all goes on, all secrets or none', async () => {
  const { engine } = platform;
  const withKeys = (keys: string) => ({
    ...engine,
    settings: readSettings({
      REDIS_URL: engine.settings.redisUrl,
      DATABASE_URL: engine.settings.databaseUrl,
      LATTICE_SECRETS_KEY: keys,
    }),
  });
  await expect(rotateSecrets(withKeys(NEW))).rejects.toMatchObject({ code: 'secrets_key_wrong' });
  await expect(setSecret(withKeys(NEW), 'MORE', 'something-else')).rejects.toMatchObject({ code: 'secrets_key_wrong' });
  const both = `${NEW},${OLD}`;
  await platform.stopParts();
  await platform.scheduler();
  await platform.worker({ env: { LATTICE_SECRETS_KEY: both } });
  expect((await platform.run(telling)).status).toBe('completed');
  expect(await rotateSecrets(withKeys(both))).toMatchObject({ rotated: 2 });
  expect(await rotateSecrets(withKeys(both))).toMatchObject({ rotated: 0 });
  expect((await platform.run(telling)).status).toBe('completed');
  await removeSecret(engine, 'PEM');
  await expect(removeSecret(engine, 'PEM')).rejects.toMatchObject({ code: 'secret_not_found' });
});
