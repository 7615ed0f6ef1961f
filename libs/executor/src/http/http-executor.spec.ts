import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { common, errorOf, outputOf } from '../../test/support';
import type { Execution, HttpProgram } from '../port';
import { createHttpExecutor } from './http-executor';

const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/json': (_, response) => response.setHeader('content-type', 'application/problem+json').end('{"a":[1]}'),
  '/text': (_, response) => response.setHeader('content-type', 'text/plain').end('{"a":1}'),
  '/broken': (_, response) => response.setHeader('content-type', 'application/json').end('{"a":'),
  '/latin': (_, response) =>
    response.setHeader('content-type', 'text/plain; charset=iso-8859-1').end(Buffer.from([0xe9])),
  '/bytes': (_, response) => response.end(Buffer.from([0xff, 0xfe, 0x00, 0x80])),
  '/none': (_, response) => response.writeHead(204).end(),
  '/big': (_, response) => response.end('x'.repeat(2_000)),
  '/endless': (_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(1_000)), 5);
    response.on('close', () => clearInterval(timer));
  },
  '/slow': (request) => request.on('close', () => closed.push('/slow')),
  '/cut': (request, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('x');
    setTimeout(() => request.socket.destroy(), 20);
  },
  '/missing': (_, response) => response.writeHead(404).end('no such thing'),
  '/busy': (_, response) => response.writeHead(429).end(),
  '/down': (_, response) => response.writeHead(503).end(),
  '/moved': (_, response) => response.writeHead(302, { location: '/json' }).end(),
  '/echo': (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { 'content-type': type, 'x-own': own } = request.headers;
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ method: request.method, type, own, body }));
    });
  },
};
const closed: string[] = [];
const executor = createHttpExecutor();
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => routes[request.url ?? '']?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await executor.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A URL at which nothing listens any more. */
async function closedPort(): Promise<string> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

function request(
  path: string,
  http: Partial<HttpProgram['http']> = {},
  overrides: Parameters<typeof common>[0] = {},
): Execution & HttpProgram {
  return {
    ...common(overrides),
    uses: 'http',
    http: { url: `${base}${path}`, method: 'GET', headers: {}, maxBytes: 10_000, ...http },
  };
}
const run = async (...args: Parameters<typeof request>) => executor.submit(request(...args)).result();

it('gives status, headers and body; the body as JSON where the type says so', async () => {
  const output = outputOf(await run('/json'));
  expect(output).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/problem+json' },
    body: { a: [1] },
  });
  expect(outputOf(await run('/text'))).toMatchObject({ body: '{"a":1}' });
  expect(outputOf(await run('/broken'))).toMatchObject({ body: '{"a":' });
  expect(outputOf(await run('/latin'))).toMatchObject({ body: '\u00e9' });
  expect(outputOf(await run('/none'))).toMatchObject({ status: 204, body: '' });
  expect(outputOf(await run('/moved'))).toMatchObject({ status: 200, body: { a: [1] } });
});

it('gives bytes that are no text as base64', async () => {
  expect(outputOf(await run('/bytes'))).toMatchObject({ body: '//4AgA==', encoding: 'base64' });
});

it('sends what it is told to', async () => {
  const http = { method: 'PUT', headers: { 'content-type': 'text/csv', 'x-own': '1' }, body: 'a,b' };
  expect(outputOf(await run('/echo', http))).toMatchObject({
    body: { method: 'PUT', type: 'text/csv', own: '1', body: 'a,b' },
  });
});

it('a status that is not expected is an error, worth another try when the server is busy or down', async () => {
  expect(errorOf(await run('/missing'))).toMatchObject({
    code: 'http_status',
    retryable: false,
    details: { status: 404, body: 'no such thing' },
  });
  expect(errorOf(await run('/busy')).retryable).toBe(true);
  expect(errorOf(await run('/down')).retryable).toBe(true);
  expect(outputOf(await run('/missing', { expect: [200, 404] }))).toMatchObject({ status: 404, body: 'no such thing' });
  expect(errorOf(await run('/json', { expect: [404] }))).toMatchObject({ code: 'http_status', retryable: false });
});

it('reads no more than it may', async () => {
  expect(errorOf(await run('/big', { maxBytes: 1_999 }))).toMatchObject({
    code: 'response_too_large',
    retryable: false,
  });
  expect(outputOf(await run('/big', { maxBytes: 2_000 }))).toMatchObject({ status: 200 });
  expect(errorOf(await run('/endless'))).toMatchObject({ code: 'response_too_large' });
  expect(errorOf(await run('/big', {}, { limits: { outputBytes: 100 } }))).toMatchObject({ code: 'output_too_large' });
});

it('says what kept it from the server', async () => {
  expect(errorOf(await run('', { url: await closedPort() }))).toMatchObject({
    code: 'http_unreachable',
    retryable: true,
    details: { code: 'ECONNREFUSED' },
  });
  expect(errorOf(await run('/cut'))).toMatchObject({ code: 'http_unreachable', retryable: true });
});

it('is stopped by its time limit and by cancel, and so is the connection', async () => {
  expect(errorOf(await run('/slow', {}, { limits: { timeoutMs: 100 } }))).toMatchObject({
    code: 'timeout',
    retryable: true,
  });
  const handle = executor.submit(request('/slow'));
  expect(await handle.wait(50)).toEqual({ state: 'pending' });
  await handle.cancel('enough');
  expect(await handle.result()).toEqual({ status: 'cancelled' });
  while (closed.length < 2) await new Promise(setImmediate);
});

it('takes nothing but requests', async () => {
  const outcome = await executor.submit({ ...common(), uses: 'handler/x' }).result();
  expect(errorOf(outcome).code).toBe('sandbox_failed');
});
