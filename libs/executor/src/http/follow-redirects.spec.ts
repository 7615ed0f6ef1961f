import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { common, errorOf, outputOf } from '../../test/support';
import { createHttpExecutor } from './http-executor';
import type { HttpProgram } from '../port';

interface Seen {
  method: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

/** `/go?to=URL&status=N` redirects there; all else tells what it was asked. */
function start(): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const to = url.searchParams.get('to');
    if (to !== null) {
      request.resume();
      response.writeHead(Number(url.searchParams.get('status') ?? 302), { location: to }).end('elsewhere');
      return;
    }
    void text(request).then((body) => {
      const seen: Seen = { method: request.method, headers: request.headers, body };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(seen));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const executor = createHttpExecutor();
let here: Server;
let there: Server;
const base = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const go = (to: string, status = 302, from = here): string =>
  `${base(from)}/go?to=${encodeURIComponent(to)}&status=${status}`;

beforeAll(async () => {
  [here, there] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await executor.close();
  for (const server of [here, there]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const run = (http: Partial<HttpProgram['http']> & { url: string }) =>
  executor
    .submit({ ...common(), uses: 'http', http: { method: 'GET', headers: {}, maxBytes: 10_000, ...http } })
    .result();
const seenBy = async (http: Parameters<typeof run>[0]): Promise<Seen> =>
  (outputOf(await run(http)) as { body: Seen }).body;

const SECRET = {
  Authorization: 'Bearer s3cret',
  cookie: 'session=s3cret',
  'X-Api-Key': 's3cret',
  Accept: 'application/json',
};

it('tells another origin no header that may hold a secret', async () => {
  const { headers } = await seenBy({ url: go(`${base(there)}/x`), headers: SECRET });
  expect(headers).toMatchObject({ accept: 'application/json' });
  expect(JSON.stringify(headers)).not.toContain('s3cret');
});

it('tells them to its own origin, also over several redirects, but not again after it was away', async () => {
  const { headers } = await seenBy({ url: go(go('/x')), headers: SECRET });
  expect(headers).toMatchObject({ authorization: 'Bearer s3cret', cookie: 'session=s3cret', 'x-api-key': 's3cret' });
  const back = await seenBy({ url: go(go(`${base(here)}/x`, 302, there)), headers: SECRET });
  expect(JSON.stringify(back.headers)).not.toContain('s3cret');
});

it('takes another name or port of a host for another origin', async () => {
  const named = base(here).replace('127.0.0.1', 'localhost');
  const outcome = await run({ url: go(`${named}/x`), headers: SECRET });
  expect(JSON.stringify(outcome)).not.toContain('s3cret');
});

it.each([
  ['POST', 301, 'GET', ''],
  ['POST', 302, 'GET', ''],
  ['PUT', 302, 'PUT', 'a,b'],
  ['PUT', 303, 'GET', ''],
  ['POST', 307, 'POST', 'a,b'],
  ['PATCH', 308, 'PATCH', 'a,b'],
])('%s redirected by %d is %s', async (method, status, then, body) => {
  const headers = { 'content-type': 'text/csv' };
  const seen = await seenBy({ url: go(`${base(there)}/x`, status), method, body: 'a,b', headers });
  expect([seen.method, seen.body, seen.headers['content-type']]).toEqual([
    then,
    body,
    body === '' ? undefined : 'text/csv',
  ]);
});

it('gives a redirect that is expected as it is', async () => {
  expect(outputOf(await run({ url: go('/x'), expect: [302] }))).toMatchObject({
    status: 302,
    headers: { location: '/x' },
    body: 'elsewhere',
  });
});

it('ends a circle, and goes nowhere but to http', async () => {
  const circle = createServer((_, response) => response.writeHead(302, { location: '/' }).end());
  await new Promise<void>((resolve) => circle.listen(0, '127.0.0.1', resolve));
  const outcome = await run({ url: base(circle) });
  circle.closeAllConnections();
  await new Promise((resolve) => circle.close(resolve));
  expect(errorOf(outcome)).toMatchObject({ code: 'http_unreachable' });
  expect(errorOf(outcome).message).toContain('more than 20 redirects');
  expect(errorOf(await run({ url: go('file:///etc/passwd') })).message).toContain('no URL of http');
});
