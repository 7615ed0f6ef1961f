import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type S3Server } from '../../support/s3';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';

const bin = join(__dirname, '..', '..', '..', 'libs', 'cli', 'bin', 'lattice.js');

/** Calls the command line; it runs from the build. */
function runCommand({ url, key }: Rest, args: string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, LATTICE_URL: url, LATTICE_API_KEY: key, NO_COLOR: '1' };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [bin, ...args], { env }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out: out + err }),
    );
  });
}

const SOURCE = `import { mkdirSync, writeFileSync } from "node:fs"; const at = process.env.LATTICE_ARTIFACTS;
  export default () => { mkdirSync(at + "/sub"); writeFileSync(at + "/sub/ü \\"1\\".html", "<script>0123456789</script>") }`;
const LEAVING = {
  name: 'leaving',
  tasks: { leave: { uses: 'code', with: { language: 'javascript', source: SOURCE } } },
};
const BODY = '<script>0123456789</script>';

let s3: S3Server | undefined;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());

describe.each(['folder', 's3'])('artifacts over REST, kept in %s', (kind) => {
  let platform: TestPlatform;
  let rest: Rest;
  let runId: string;
  let path: string;
  const there = (): boolean => kind === 'folder' || s3 !== undefined;

  beforeAll(async () => {
    if (!there()) return;
    const settings =
      kind === 'folder' || s3 === undefined
        ? {}
        : {
            LATTICE_ARTIFACTS: `s3://${s3.bucket}/prefix`,
            LATTICE_S3_ENDPOINT: s3.endpoint,
            LATTICE_S3_KEY_ID: s3.keys.id,
            LATTICE_S3_SECRET: s3.keys.secret,
          };
    platform = await TestPlatform.running({ environment: settings });
    rest = await openRest(platform);
    runId = (await platform.run(LEAVING)).runId;
    const { artifacts } = await rest.json(200, `/v1/runs/${runId}/artifacts`);
    path = `/v1/artifacts/${String(artifacts[0].id)}`;
  });
  afterAll(async () => {
    if (!there()) return;
    await rest.close();
    await platform.close();
  });
  const each = (name: string, check: () => Promise<void>): void =>
    test(name, async () => {
      if (there()) await check();
    });

  each('comes whole, as a file to be saved, never as a page', async () => {
    const response = await rest.call(path);
    expect(await response.text()).toBe(BODY);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html',
      'content-length': '27',
      'content-disposition': `attachment; filename="_ _1_.html"; filename*=UTF-8''%C3%BC%20%221%22.html`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
    });
  });

  each('comes in part, and only when the client does not have it', async () => {
    const get = (headers: Record<string, string>): Promise<Response> => rest.call(path, { headers });
    const part = await get({ range: 'bytes=8-17' });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([
      206,
      '0123456789',
      'bytes 8-17/27',
    ]);
    const tail = await get({ range: 'bytes=-9' });
    expect([tail.status, await tail.text()]).toEqual([206, '</script>']);
    const beyond = await get({ range: 'bytes=100-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */27']);
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=x']) {
      const whole = await get({ range });
      expect([whole.status, await whole.text()]).toEqual([200, BODY]);
    }
    const tag = part.headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': tag })).status).toBe(304);
    expect((await get({ range: 'bytes=0-1', 'if-range': tag })).status).toBe(206);
    expect((await get({ range: 'bytes=0-1', 'if-range': '"another"' })).status).toBe(200);
    const head = await fetch(rest.url + path, { method: 'HEAD', headers: { authorization: `Bearer ${rest.key}` } });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '27', '']);
  });

  each('is refused without a key, and is not there under another id', async () => {
    expect((await fetch(rest.url + path)).status).toBe(401);
    for (const id of ['0196a1b2-0000-7000-8000-000000000000', 'x', '%00'])
      expect(await rest.json(404, `/v1/artifacts/${id}`)).toMatchObject({ code: 'artifact_not_found' });
  });

  each('is listed and saved by the command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lattice-download-'));
    const command = ['runs', 'artifacts', runId, '--download', folder];
    const listed = await runCommand(rest, command);
    expect(listed.code).toBe(0);
    expect(listed.out).toContain('sub/ü "1".html');
    expect(readFileSync(join(folder, 'leave', 'sub', 'ü "1".html'), 'utf8')).toBe(BODY);
    // A second time: nothing is overwritten.
    expect((await runCommand(rest, command)).code).toBe(2);
    expect(existsSync(join(folder, 'leave'))).toBe(true);
    rmSync(folder, { recursive: true });
  });
});
