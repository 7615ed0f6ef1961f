import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completed, log, testApi, type TestApi } from '../integration/api/support';
import { root } from './support';

const BROWSERS = ['chromium-headless-shell', 'chromium', 'google-chrome'];
const browser = BROWSERS.find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
});

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += String(chunk);
  return text;
}

// Without a browser on the machine there is nothing to try: `apt-get install chromium-headless-shell`.
(browser === undefined ? describe.skip : describe)('the client in a browser (skipped without Chromium)', () => {
  let test: TestApi;
  let page: Server;
  let told: Promise<string>;
  const folder = mkdtempSync(join(tmpdir(), 'lattice-browser-'));
  beforeAll(async () => {
    test = await testApi();
    const esbuild = join(root, 'node_modules', 'esbuild', 'bin', 'esbuild');
    const client = join(root, 'libs', 'sdk', 'dist', 'client-entry.js');
    const flags = ['--bundle', '--platform=browser', `--alias:@lattice/sdk=${client}`];
    const fixture = join(root, 'test', 'sdk', 'fixtures', 'page.mts');
    const script = execFileSync(process.execPath, [esbuild, fixture, ...flags], { maxBuffer: 16_777_216 });
    let tell: (text: string) => void = () => undefined;
    told = new Promise((resolve) => (tell = resolve));
    // Page and API have one origin, as behind a proxy.
    page = createServer((incoming, answer) => {
      const { url = '/', method, headers } = incoming;
      if (url === '/told') void textOf(incoming).then(tell, tell);
      else if (url.startsWith('/v1')) {
        incoming.pipe(
          request(test.api.url + url, { method, headers }, (reply) => {
            answer.writeHead(reply.statusCode ?? 500, reply.headers);
            reply.pipe(answer);
          }),
        );
      } else if (url === '/page.js') answer.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      else answer.writeHead(200, { 'content-type': 'text/html' }).end('<script src="/page.js"></script>');
    });
    page.listen(0, '127.0.0.1');
    await once(page, 'listening');
  });
  afterAll(async () => {
    page.closeAllConnections();
    page.close();
    await test.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('follows a run by server-sent events, and a page by a WebSocket that shows its key in the first frame', async () => {
    const runId = await test.submit();
    const events = [...Array.from({ length: 500 }, (_, n) => log(`${n}`)), completed];
    const ids = (await test.history.write(runId, events)).map(({ id }) => id);
    const address = page.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const about = new URLSearchParams({ key: test.adminKey, runId, socket: test.api.url.replace(/^http/, 'ws') });
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
    const child = spawn(
      browser ?? '',
      [...flags, `--user-data-dir=${folder}`, `http://127.0.0.1:${port}/#${about.toString()}`],
      { stdio: 'ignore' },
    );
    const ended = once(child, 'exit');
    try {
      expect(JSON.parse(await told)).toEqual({ sse: ids, socket: ids, refused: '4401 The key is not valid.' });
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });
});
