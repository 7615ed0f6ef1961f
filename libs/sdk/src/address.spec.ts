import { createServer } from 'node:http';
import { once } from 'node:events';
import { LatticeClient } from './client';

const NAMES = ['LATTICE_URL', 'LATTICE_API_KEY'] as const;

beforeEach(() => {
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
});

it('a client takes address and key of the environment, where it is given none', async () => {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end('{"workers":[]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    expect(() => new LatticeClient()).toThrow(/set LATTICE_URL/);
    process.env['LATTICE_URL'] = `${url}/`;
    process.env['LATTICE_API_KEY'] = 'of-the-environment';
    const client = new LatticeClient();
    expect(client.url).toBe(url);
    await client.workers();
    await new LatticeClient({ apiKey: 'given' }).workers();
    expect(keys).toEqual(['Bearer of-the-environment', 'Bearer given']);
    expect(new LatticeClient({ url: 'http://elsewhere' }).url).toBe('http://elsewhere');
    process.env['LATTICE_URL'] = 'nonsense';
    expect(() => new LatticeClient()).toThrow(/"nonsense" is no address/);
  } finally {
    server.close();
  }
});
