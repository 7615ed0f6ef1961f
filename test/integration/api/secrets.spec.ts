import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretViewSchema } from '@lattice/contracts';
import { ensureSecretsKey } from '@lattice/engine';
import { findSecrets } from '@lattice/persistence';
import { testApi, type TestApi } from './support';

const bin = join(__dirname, '..', '..', '..', 'libs', 'cli', 'bin', 'lattice.js');
const VALUE = 'correct-horse-battery';

let test: TestApi;
let folder: string;
beforeAll(async () => {
  test = await testApi();
  folder = mkdtempSync(join(tmpdir(), 'lattice-secrets-'));
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true });
});

const put = (name: string, body: string, key?: string): Promise<Response> =>
  test.call(`/v1/secrets/${name}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/json' },
    ...(key === undefined ? {} : { key }),
  });

describe('/v1/secrets', () => {
  it('stores, lists, replaces and removes, and never shows a value', async () => {
    const first = await put('TOKEN', JSON.stringify({ value: VALUE }));
    expect(first.status).toBe(201);
    const made = secretViewSchema.parse(await first.json());
    expect(Object.keys(made).sort()).toEqual(['createdAt', 'keyId', 'name', 'updatedAt']);
    expect((await put('TOKEN', JSON.stringify({ value: `${VALUE}!` }))).status).toBe(200);
    const list = await test.call('/v1/secrets');
    expect(await list.clone().json()).toMatchObject({ secrets: [{ name: 'TOKEN', createdAt: made.createdAt }] });
    expect(await list.text()).not.toContain('horse');
    const [stored] = await findSecrets(test.engine.db, ['TOKEN']);
    expect(stored?.sealed.toString('latin1')).not.toContain('horse');
    expect((await test.call('/v1/secrets/TOKEN', { method: 'DELETE' })).status).toBe(204);
    expect((await test.call('/v1/secrets/TOKEN', { method: 'DELETE' })).status).toBe(404);
    expect(await (await test.call('/v1/secrets')).json()).toEqual({ secrets: [] });
  });

  it('has made a key that only its owner can read', () => {
    const { secretsKeyFile } = test.engine.settings;
    expect(statSync(secretsKeyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(secretsKeyFile, 'utf8')).toMatch(/^lsk_[\w-]{43}\n$/);
  });

  it.each([
    ['a short value', 'A', { value: 'seven77' }],
    ['a value of blanks and little else', 'A', { value: '   short   ' }],
    ['NUL', 'A', { value: 'correct\0horse' }],
    ['half a character', 'A', { value: 'correct-horse\ud800' }],
    ['too much', 'A', { value: 'x'.repeat(32_769) }],
    ['a word of CEL as its name', 'in', { value: VALUE }],
    ['a name with a dash', 'a-b', { value: VALUE }],
    ['more fields', 'A', { value: VALUE, note: 1 }],
  ])('refuses %s', async (_, name, body) => {
    expect((await put(name, JSON.stringify(body))).status).toBe(400);
  });

  it('says nothing of a body that it can not read', async () => {
    const answer = await put('A', `{"value": ${VALUE}}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain('corr');
  });

  it('is for administrators, but for the names', async () => {
    const { key } = await (
      await test.call('/v1/keys', {
        method: 'POST',
        body: JSON.stringify({ name: 'o', scope: 'operator' }),
        headers: { 'content-type': 'application/json' },
      })
    ).json();
    expect((await put('A', JSON.stringify({ value: VALUE }), key)).status).toBe(403);
    expect((await test.call('/v1/secrets/A', { method: 'DELETE', key })).status).toBe(403);
    expect((await test.call('/v1/secrets/rotate', { method: 'POST', key })).status).toBe(403);
    expect((await test.call('/v1/secrets', { key })).status).toBe(200);
  });

  it('refuses to use another key beside the one that is in use, and makes none in its place', async () => {
    const { secretsKeyFile } = test.engine.settings;
    expect((await put('KEPT', JSON.stringify({ value: VALUE }))).status).toBe(201);
    const own = readFileSync(secretsKeyFile, 'utf8');
    rmSync(secretsKeyFile);
    await ensureSecretsKey(test.engine);
    expect(await (await put('A', JSON.stringify({ value: VALUE }))).json()).toMatchObject({
      status: 409,
      code: 'secrets_key_missing',
    });
    writeFileSync(secretsKeyFile, `lsk_${'x'.repeat(43)}\n`);
    const refused = await put('A', JSON.stringify({ value: VALUE }));
    expect(await refused.json()).toMatchObject({ status: 409, code: 'secrets_key_wrong' });
    writeFileSync(secretsKeyFile, `lsk_${'x'.repeat(43)}\n${own}`);
    expect(await (await test.call('/v1/secrets/rotate', { method: 'POST' })).json()).toMatchObject({ rotated: 1 });
    expect((await put('A', JSON.stringify({ value: VALUE }))).status).toBe(201);
  });
});

describe('lattice secrets', () => {
  const lattice = (args: string[], input = ''): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], LATTICE_URL: test.api.url, LATTICE_API_KEY: test.adminKey };
      const child = execFile(process.execPath, [bin, ...args], { env, cwd: folder }, (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      );
      child.stdin?.end(input);
    });

  it('reads a value from standard input or a file, lists and removes', async () => {
    expect(await lattice(['secrets', 'set', 'CLI'], `${VALUE}\n`)).toMatchObject({
      code: 0,
      out: 'secret CLI is stored\n',
    });
    writeFileSync(join(folder, 'key.pem'), 'line one\nline two\n');
    expect(await lattice(['secrets', 'set', 'PEM', '--from-file', 'key.pem'])).toMatchObject({ code: 0, err: '' });
    expect((await lattice(['secrets', 'list'])).out).toMatch(/^NAME .*\nA .*\nCLI /);
    expect(JSON.parse((await lattice(['secrets', 'rotate', '--json'])).out)).toMatchObject({ rotated: 0 });
    expect((await lattice(['secrets', 'delete', 'CLI'])).code).toBe(0);
    expect((await lattice(['secrets', 'delete', 'CLI'])).code).toBe(2);
  });

  it('refuses what can be no value, and makes keys without a server', async () => {
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00, 0x81]));
    const refused = await lattice(['secrets', 'set', 'B', '--from-file', 'binary']);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('not UTF-8') });
    expect((await lattice(['secrets', 'set', 'B'], 'short\n')).code).toBe(2);
    expect((await lattice(['secrets', 'new-key', '--url', 'http://127.0.0.1:1'])).out).toMatch(/^lsk_[\w-]{43}\n$/);
  });
});
