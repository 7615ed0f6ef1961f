import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { testApi, type TestApi } from './support';

const bin = join(__dirname, '..', '..', '..', 'libs', 'cli', 'bin', 'lattice.js');

describe('keys from the command line', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const lattice = (...args: string[]): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], LATTICE_URL: test.api.url, LATTICE_API_KEY: test.adminKey };
      execFile(process.execPath, [bin, ...args], { env }, (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      );
    });

  it('makes a key that works, lists it, and revokes it', async () => {
    const made = await lattice('keys', 'create', 'the dashboard', '--scope', 'viewer');
    expect([made.code, made.out.split('\n').length]).toEqual([0, 2]);
    const key = made.out.trim();
    const id = /^key (\S+) \(viewer\)/.exec(made.err)?.[1] ?? '';
    expect((await test.call('/v1/runs', { key })).status).toBe(200);
    expect((await lattice('keys', 'list')).out).toMatch(new RegExp(`${id} +the dashboard +viewer`));
    expect((await lattice('keys', 'list')).out).not.toContain(key);
    expect(JSON.parse((await lattice('keys', 'revoke', id, '--json')).out)).toEqual({ id, revoked: true });
    expect((await test.call('/v1/runs', { key })).status).toBe(401);
    const { keys } = JSON.parse((await lattice('keys', 'list', '--json')).out);
    expect(keys.find((one: { id: string }) => one.id === id)).toMatchObject({ revokedAt: expect.any(String) });
  });

  it('refuses what makes no sense', async () => {
    expect(await lattice('keys', 'create', 'x')).toMatchObject({ code: 2, err: expect.stringContaining('--scope') });
    expect((await lattice('keys', 'create', 'x', '--scope', 'king')).code).toBe(2);
    expect(await lattice('keys', 'revoke', 'nobody')).toMatchObject({ code: 2, out: '' });
  });

  it('is completed by the shell', async () => {
    const { out } = await lattice('completion', 'bash');
    expect(out).toContain("'lattice keys') words='list create revoke'");
    expect(out).toMatch(/'lattice keys create'\) words=''; options='--scope /);
  });
});
