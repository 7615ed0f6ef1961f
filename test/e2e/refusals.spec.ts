import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { problemSchema, type Answer } from './support/api';
import { badBodies } from './support/bad-bodies';
import { javascript } from './support/documents';
import { eventually } from '../support/eventually';
import { startPlatform, type Platform } from './support/platform';
import { openSocket } from './support/streams';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => platform?.stop());

function problemOf(answer: Answer): z.infer<typeof problemSchema> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return problemSchema.parse(answer.json());
}

describe('what the API refuses to run', () => {
  it.each(badBodies)(
    '$name: $status $code',
    async ({ contentType = 'application/json', body, status, code, says, faults }) => {
      const answer = await platform.api.call('/v1/runs', { headers: { 'Content-Type': contentType }, body });
      const problem = problemOf(answer);
      expect({ http: answer.status, status: problem.status, code: problem.code }).toEqual({
        http: status,
        status,
        code,
      });
      if (says !== undefined) expect(problem.detail).toMatch(says);
      if (faults !== undefined) {
        const found = problem.faults?.map((fault) => [fault.code, fault.pointer]) ?? [];
        expect(found.sort()).toEqual(faults.map((fault) => [...fault]).sort());
      }
      expect((await platform.api.call('/health/live')).status).toBe(200);
    },
  );

  it('an Idempotency-Key of control characters, and unknown parameters', async () => {
    const body = { workflow: { name: 'x', tasks: { a: javascript('export default () => 1') } } };
    expect((await platform.api.post('/v1/runs', body, { 'Idempotency-Key': '\t' })).status).toBe(400);
    expect(problemOf(await platform.api.post('/v1/runs?colour=red', body)).faults?.[0]?.code).toBe('unknown_field');
  });

  it('paths, methods and ids that are none', async () => {
    expect(problemOf(await platform.api.call('/v1/nothing')).code).toBe('not_found');
    const put = await platform.api.call('/v1/runs', { method: 'PUT' });
    expect(problemOf(put).code).toBe('method_not_allowed');
    expect(put.headers.get('allow')).toBe('GET, POST');
    for (const id of ['abc', randomUUID(), '%00', '..%2f..%2fetc']) {
      expect(problemOf(await platform.api.call(`/v1/runs/${id}`)).code).toBe('run_not_found');
    }
  });

  it('and works on after all that: nothing was stored, the next run completes', async () => {
    const before = z.object({ runs: z.array(z.unknown()) }).parse((await platform.api.call('/v1/runs')).json());
    expect(before.runs).toEqual([]);
    const run = await platform.api.wait(
      await platform.api.submit({ name: 'fine', tasks: { a: javascript('export default () => 42') } }),
    );
    expect(run).toMatchObject({ status: 'completed', tasks: [{ key: 'a', output: 42 }] });
    expect(platform.launcher.output()).not.toContain('died');
  });
});

describe('whom the API refuses', () => {
  it('nobody gets anything without a key, but for health and the login page', async () => {
    const { paths } = z
      .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse((await platform.api.call('/docs-json')).json());
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path: path.replaceAll(/\{\w+\}/g, 'x'), method: method.toUpperCase() })),
    );
    expect(routes.length).toBeGreaterThan(10);
    const others = [
      '/',
      '/docs',
      '/docs-json',
      '/admin/queues',
      '/metrics',
      '/nothing',
      '/v1/ws',
      '/%2e%2e/v1/runs',
      '//v1/runs',
    ];
    for (const { path, method } of [...routes, ...others.map((path) => ({ path, method: 'GET' }))]) {
      const answer = await platform.api.call(path, { method, anonymous: true });
      const name = `${method} ${path}`;
      if (path.startsWith('/health/')) {
        expect({ name, status: answer.status }).toEqual({ name, status: 200 });
        continue;
      }
      expect({ name, status: answer.status }).toEqual({ name, status: 401 });
      expect(problemOf(answer).code).toBe('unauthorized');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('wrong keys', async () => {
    for (const authorization of [
      'Bearer lat_wrong',
      'Bearer',
      `Basic ${platform.api.key}`,
      `Bearer ${platform.api.key}x`,
    ]) {
      const answer = await platform.api.call('/v1/runs', {
        anonymous: true,
        headers: { Authorization: authorization },
      });
      expect({ authorization, status: answer.status }).toEqual({ authorization, status: 401 });
    }
  });

  it('browsers without a session, which are sent to the login page and signed in there', async () => {
    const asBrowser = { anonymous: true, headers: { Accept: 'text/html,*/*;q=0.8' } };
    const sent = await platform.api.call('/admin/queues?page=2', asBrowser);
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/login?next=%2Fadmin%2Fqueues%3Fpage%3D2']);
    const page = await platform.api.call('/login?next=/docs', asBrowser);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.text).toContain('name="next" value="/docs"');
    const signIn = (key: string): Promise<Answer> =>
      platform.api.call('/login', {
        anonymous: true,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ key, next: '/docs' }).toString(),
      });
    expect((await signIn('lat_wrong')).status).toBe(401);
    const signedIn = await signIn(platform.api.key);
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/docs']);
    const cookie = signedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).not.toContain(platform.api.key);
    const session = { anonymous: true, headers: { Accept: 'text/html', Cookie: cookie.split(';')[0] ?? '' } };
    for (const path of ['/docs', '/admin/queues']) expect((await platform.api.call(path, session)).status).toBe(200);
  });

  it('keeps the admin key to its owner', () => {
    expect(statSync(join(platform.home, 'admin.key')).mode & 0o777).toBe(0o600);
    expect(platform.api.key).toMatch(/^lat_[A-Za-z0-9_-]{43}$/);
    expect(platform.launcher.output()).not.toContain(platform.api.key);
  });

  it('sockets: without a key within 5 s, with a wrong one, with a question before the key', async () => {
    const silent = await openSocket(platform.api);
    const wrong = await openSocket(platform.api);
    wrong.send({ op: 'auth', key: 'lat_wrong' });
    const early = await openSocket(platform.api);
    early.send({ op: 'subscribe', runId: randomUUID() });
    for (const { closed } of [wrong, early, silent]) expect((await closed).code).toBe(4401);
    const good = await openSocket(platform.api);
    good.send({ op: 'auth', key: platform.api.key });
    good.send({ op: 'ping' });
    good.send('no JSON');
    good.send({ op: 'dance' });
    const runId = randomUUID();
    good.send({ op: 'subscribe', runId });
    await eventually('four answers', () => good.others.length >= 4);
    expect(good.others).toEqual([
      { op: 'pong' },
      expect.objectContaining({ op: 'error', code: 'unparsable' }),
      expect.objectContaining({ op: 'error', code: 'bad_request' }),
      expect.objectContaining({ op: 'error', code: 'run_not_found', runId }),
    ]);
    good.close();
  });
});

describe('Idempotency-Key', () => {
  const document = (value: number): unknown => ({
    workflow: { name: 'once', tasks: { a: javascript(`export default () => ${value}`) } },
  });
  const send = (key: string, value = 1): Promise<Answer> =>
    platform.api.post('/v1/runs', document(value), { 'Idempotency-Key': key });
  const idOf = (answer: Answer): string => z.object({ runId: z.string() }).parse(answer.json()).runId;

  it('202 the first time, 200 with the same run for a repeat, 409 for another body', async () => {
    const [first, again, other] = [await send('one'), await send('one'), await send('one', 2)];
    expect([first.status, again.status, other.status]).toEqual([202, 200, 409]);
    expect(idOf(again)).toBe(idOf(first));
    expect(problemOf(other).code).toBe('idempotency_conflict');
    // The same body, written otherwise.
    const body = JSON.stringify(document(1), null, 4);
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'one' };
    expect((await platform.api.call('/v1/runs', { headers, body })).status).toBe(200);
    expect(await platform.api.wait(idOf(first))).toMatchObject({ status: 'completed', tasks: [{ attempts: 1 }] });
  });

  it('gives one run to twenty submissions at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('many')));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(idOf)).size).toBe(1);
  });
});
