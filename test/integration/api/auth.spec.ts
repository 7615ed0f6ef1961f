import { connect } from 'node:net';
import { testApi, type TestApi } from './support';

describe('who may do what', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(() => test.close());

  const makeKey = async (scope: string): Promise<{ id: string; key: string }> =>
    (await test.post('/v1/keys', { name: `a ${scope}`, scope })).json();
  const HTML = { accept: 'text/html,application/xhtml+xml' };

  it.each([
    '/',
    '/docs',
    '/docs-json',
    '/docs-yaml',
    '/docs/swagger-ui.css',
    '/admin/queues',
    '/v1/runs',
    '/nothing',
    '/LOGIN',
    '/health/live/',
  ])('refuses %s without a key, and sends a browser to the login', async (path) => {
    const response = await test.call(path, { key: null });
    expect([response.status, (await response.json()).code]).toEqual([401, 'unauthorized']);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    const browser = await test.call(`${path}?a=b`, { key: null, headers: HTML });
    expect(browser.status).toBe(303);
    expect(browser.headers.get('location')).toBe(`/login?next=${encodeURIComponent(`${path}?a=b`)}`);
  });

  it('answers liveness and readiness to anybody', async () => {
    expect(await (await test.call('/health/live', { key: null })).json()).toEqual({ status: 'ok' });
    expect(await (await test.call('/health/ready', { key: null })).json()).toMatchObject({
      status: 'ok',
      services: [
        { service: 'redis', ok: true },
        { service: 'postgres', ok: true },
      ],
    });
  });

  it.each(['Bearer', 'Bearer  ', 'Basic abc', 'Bearer a b', 'Bearer wrong'])(
    'refuses the header %j',
    async (authorization) => {
      expect((await test.call('/v1/runs', { headers: { authorization } })).status).toBe(401);
    },
  );

  it.each([
    ['viewer', [200, 403, 403, 403, 200, 403]],
    ['operator', [200, 400, 404, 403, 200, 403]],
    ['admin', [200, 400, 404, 200, 200, 200]],
    ['worker', [403, 403, 403, 403, 403, 403]],
  ])('lets a %s do its part', async (scope, statuses) => {
    const { key } = await makeKey(scope);
    const json = { 'content-type': 'application/json' };
    const responses = [
      await test.call('/v1/runs', { key }),
      await test.call('/v1/runs', { key, method: 'POST', body: '{}', headers: json }),
      await test.call('/v1/runs/x/cancel', { key, method: 'POST' }),
      await test.call('/v1/keys', { key }),
      await test.call('/v1/workflows/validate', { key, method: 'POST', body: '{}', headers: json }),
      await test.call('/admin/queues', { key }),
    ];
    expect(responses.map(({ status }) => status)).toEqual(statuses);
  });

  it('never shows a secret again, and refuses a revoked key at once', async () => {
    const { id, key } = await makeKey('viewer');
    expect(key).toMatch(/^lat_[A-Za-z0-9_-]{43}$/);
    const list = await (await test.call('/v1/keys')).text();
    expect(list).toContain(id);
    expect(list).not.toContain(key);
    expect((await test.call('/v1/runs', { key })).status).toBe(200);
    expect((await test.call(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await test.call('/v1/runs', { key })).status).toBe(401);
    for (const gone of [id, 'x', '%00']) {
      expect((await test.call(`/v1/keys/${gone}`, { method: 'DELETE' })).status).toBe(404);
    }
    const bad = await test.post('/v1/keys', { name: '', scope: 'god', more: 1 });
    expect([bad.status, (await bad.json()).faults.length]).toEqual([400, 3]);
  });

  it('slows down who guesses, but never who has a key in use', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 60 }, (_, index) => test.call('/v1/runs', { key: `lat_guess${index}` })),
    );
    const refused = guesses.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await test.call('/v1/runs')).status).toBe(200);
  });

  describe('a browser', () => {
    const signIn = (key: string, next: string) =>
      test.call('/login', { key: null, method: 'POST', body: new URLSearchParams({ key, next }) });
    const session = async (): Promise<string> =>
      (await signIn(test.adminKey, '/')).headers.get('set-cookie')?.split(';')[0] ?? '';

    it('gets a page that nothing can be put into', async () => {
      const response = await test.call('/login?next=%2Fdocs%22%3E%3Cscript%3E', { key: null });
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      const page = await response.text();
      expect(page).not.toContain('<script>');
      expect(page).toContain('name="next" value="/docs%22%3E%3Cscript%3E"');
    });

    it('signs in with a key and goes where it wanted to', async () => {
      const response = await signIn(test.adminKey, '/docs?x=1');
      expect([response.status, response.headers.get('location')]).toEqual([303, '/docs?x=1']);
      const cookie = response.headers.get('set-cookie') ?? '';
      for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=43200']) expect(cookie).toContain(part);
      expect(cookie).not.toContain(test.adminKey);
      expect((await signIn(test.adminKey, '//evil.test')).headers.get('location')).toBe('/');
    });

    it('sees documentation and queues with its session, until it signs out or the key is revoked', async () => {
      const cookie = await session();
      for (const path of ['/docs', '/docs-json', '/admin/queues', '/admin/queues/api/queues', '/v1/runs']) {
        expect((await test.call(path, { key: null, headers: { cookie } })).status).toBe(200);
      }
      const board = await test.call('/admin/queues/', { key: null, headers: { cookie } });
      // Its page names fonts of another site.
      expect(board.headers.get('content-security-policy')).toContain("default-src 'self'");
      const out = await test.call('/logout', { key: null, headers: { cookie } });
      expect(out.headers.get('set-cookie')).toMatch(/^lattice_session=;/);
      const { id, key } = await makeKey('viewer');
      const other = (await signIn(key, '/')).headers.get('set-cookie')?.split(';')[0] ?? '';
      expect((await test.call('/v1/runs', { key: null, headers: { cookie: other } })).status).toBe(200);
      await test.call(`/v1/keys/${id}`, { method: 'DELETE' });
      expect((await test.call('/v1/runs', { key: null, headers: { cookie: other } })).status).toBe(401);
    });

    it('stays outside with a wrong key or a forged session', async () => {
      const response = await signIn('wrong', '/docs');
      expect([401, 429]).toContain(response.status);
      expect(await response.text()).toContain('role="alert"');
      for (const cookie of ['lattice_session=x', 'lattice_session=e30.x', `${await session()}x`]) {
        expect((await test.call('/v1/runs', { key: null, headers: { cookie } })).status).toBe(401);
      }
      const large = await test.call('/login', { key: null, method: 'POST', body: 'x'.repeat(100_000) });
      expect(large.status).toBe(413);
    });

    it('can not be made to change anything by a page of another origin', async () => {
      const headers = { cookie: await session(), 'content-type': 'application/json' };
      const post = (origin: string) =>
        test.call('/v1/keys', { key: null, method: 'POST', body: '{}', headers: { ...headers, origin } });
      expect((await post('http://localhost:1')).status).toBe(403);
      expect((await post('null')).status).toBe(403);
      expect((await post(test.api.url)).status).toBe(400);
    });
  });

  describe('errors', () => {
    it('are problem+json for unknown paths and methods', async () => {
      const unknown = await test.call('/v1/nothing');
      expect(unknown.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(await unknown.json()).toEqual({
        type: 'urn:lattice:error:not_found',
        title: 'Not found',
        status: 404,
        code: 'not_found',
        detail: 'Nothing lives at /v1/nothing.',
        faults: [],
      });
      const method = await test.call('/v1/runs', { method: 'PUT' });
      expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, POST']);
      expect((await test.call('/admin/queues/api/queues/runs/pause', { method: 'PUT' })).status).toBe(405);
      expect((await test.call('/admin/queues/nothing.js')).status).toBe(404);
      expect((await test.call('/v1/runs/%E0%A4%A')).status).toBe(400);
    });

    it('are problem+json for what is no HTTP, too', async () => {
      const { hostname, port } = new URL(test.api.url);
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.end('NONSENSE\r\n\r\n'));
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
      expect(answer).toContain('HTTP/1.1 400 Bad Request');
      expect(answer).toContain('application/problem+json');
    });
  });

  it('documents every route, with references that lead somewhere', async () => {
    const document = await (await test.call('/docs-json')).json();
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
    const operations = Object.values<Record<string, { summary: string; responses: object }>>(document.paths).flatMap(
      Object.values,
    );
    for (const { summary, responses } of operations) {
      expect(summary).not.toBe('');
      expect(Object.keys(responses)).not.toEqual([]);
    }
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/v1/runs', '/v1/runs/{id}/events', '/v1/keys/{id}']),
    );
  });

  it('publishes the schema of documents, and the workers there are', async () => {
    expect(await (await test.call('/v1/schema')).json()).toMatchObject({ title: 'Lattice workflow', type: 'object' });
    expect(await (await test.call('/v1/workers')).json()).toEqual({ workers: [] });
  });
});
