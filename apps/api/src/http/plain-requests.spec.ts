import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { servePlainRequests } from './plain-requests';

let server: Server;
beforeEach(async () => {
  server = createServer((request, response) => {
    const { method, url, headers } = request;
    const { upgrade = null, connection = null } = headers;
    void request.toArray().then((parts) => {
      response.end(JSON.stringify([method, url, parts.join(''), upgrade, connection]));
    });
  });
  server.on('upgrade', (_, socket) => socket.end('taken'));
  servePlainRequests(server, ['/socket']);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

/** All that comes back for bytes sent in two parts, the second a moment later. */
async function exchange(first: string, second = ''): Promise<string> {
  const address: string | AddressInfo | null = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  socket.write(first);
  if (second !== '') setTimeout(() => socket.write(second), 20);
  return (await socket.toArray()).join('');
}

const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n';
const LAST = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

it('answers a request that offers HTTP/2, and those after it on the connection', async () => {
  const answer = await exchange(`GET /a?b=1 HTTP/1.1\r\nHost: x\r\n${H2C}\r\n${LAST}`);
  expect(answer).toContain('["GET","/a?b=1","",null,null]');
  expect(answer).toContain('["GET","/last","",null,"close"]');
});

it.each([['at once'], ['later']])('reads the body of such a request that comes %s', async (when) => {
  const head = `POST /a HTTP/1.1\r\nHost: x\r\n${H2C}Content-Length: 5\r\n\r\n`;
  const answer = await (when === 'later' ? exchange(head, `hello${LAST}`) : exchange(`${head}hello${LAST}`));
  expect(answer).toContain('["POST","/a","hello",null,null]');
  expect(answer).toContain('["GET","/last"');
});

it('keeps what else the connection is asked for', async () => {
  const answer = await exchange('GET / HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: h2c\r\n\r\n');
  expect(answer).toContain('["GET","/","",null,"close"]');
});

it('leaves WebSockets to those who take them, where there are such', async () => {
  const ask = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n${LAST}`;
  expect(await exchange(ask('/socket?a=1'))).toBe('taken');
  expect(await exchange(ask('/other'))).toContain('["GET","/other","",null,null]');
});

it('passes over an expectation that it does not know', async () => {
  const answer = await exchange('GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n');
  expect(answer).toContain('200 OK');
});
