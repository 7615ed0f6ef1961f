import { createServer, type Server } from 'node:net';
import { choosePort, defaultPort } from './choose-port';
import { freePort } from './free-port';

const servers: Server[] = [];

async function takenPort(host: string): Promise<number> {
  const port = await freePort();
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return port;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const host = '127.0.0.1';

describe('choosePort', () => {
  it('takes PORT, and the argument before it', async () => {
    const [first, second] = [await freePort(), await freePort()];
    expect(await choosePort({ env: { PORT: String(first) }, exit: false, host })).toBe(first);
    expect(await choosePort({ port: second, env: { PORT: String(first) }, exit: true, host })).toBe(second);
  });

  it('takes any free port for a platform that ends after one run, unless told which', async () => {
    expect(await choosePort({ env: {}, exit: true, host })).not.toBe(defaultPort);
    const port = await takenPort(host);
    await expect(choosePort({ env: { PORT: String(port) }, exit: true, host })).rejects.toMatchObject({
      code: 'port_taken',
    });
  });

  it.each(['127.0.0.1', '0.0.0.0'])('sees a listener on %s', async (listening) => {
    const port = await takenPort(listening);
    for (const wanted of ['127.0.0.1', '0.0.0.0']) {
      await expect(choosePort({ port, env: {}, exit: false, host: wanted })).rejects.toThrow(`Port ${port} is in use`);
    }
  });

  it.each(['abc', '-1', '70000', '3000.5'])('refuses PORT=%s', async (text) => {
    await expect(choosePort({ env: { PORT: text }, exit: false, host })).rejects.toMatchObject({
      code: 'port_invalid',
    });
  });
});
