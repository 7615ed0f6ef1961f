import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { freePort, portIsFree } from './free-port';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

it('a free port is none of those that outgoing connections are given, and can be listened on', async () => {
  const first = existsSync(RANGE) ? Number(readFileSync(RANGE, 'utf8').split(/\s/)[0]) : 49_152;
  for (let round = 0; round < 20; round += 1) expect(await freePort()).toBeLessThan(Math.max(first, 32_768));
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await portIsFree(port, '127.0.0.1')).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await portIsFree(port, '127.0.0.1')).toBe(true);
});
