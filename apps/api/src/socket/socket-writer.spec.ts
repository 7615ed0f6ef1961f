import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { SocketWriter } from './socket-writer';
import { textFrame } from './text-frame';
import { WriteTurns } from './write-turns';

describe('SocketWriter', () => {
  let server: WebSocketServer;
  let client: WebSocket;
  let socket: WebSocket;
  let connection: Socket;
  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address: string | AddressInfo | null = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const connected = once(server, 'connection');
    client = new WebSocket(`ws://127.0.0.1:${port}`);
    const [first, request]: unknown[] = await connected;
    if (!(first instanceof WebSocket && request instanceof IncomingMessage)) throw new Error('no socket came');
    socket = first;
    connection = request.socket;
    await once(client, 'open');
  });
  afterEach(() => {
    client.terminate();
    server.close();
  });

  const TEXT = 'x'.repeat(100_000);
  const writerOf = (stuckMs?: number) =>
    new SocketWriter({ socket, connection, turns: new WriteTurns(), ...(stuckMs === undefined ? {} : { stuckMs }) });

  it('says that a reader is stuck when it takes nothing, and does not fill the memory meanwhile', async () => {
    client.pause();
    const writer = writerOf(100);
    let sent = 0;
    while (await writer.send(TEXT)) sent += 1;
    expect(sent).toBeGreaterThan(10);
    expect(socket.bufferedAmount).toBeLessThan(2_000_000);
  });

  it('waits for a slow reader, who gets everything in the end', async () => {
    let received = 0;
    client.on('message', () => {
      received += 1;
      client.pause();
      setImmediate(() => client.resume());
    });
    const writer = writerOf(10_000);
    for (let sent = 0; sent < 100; sent += 1) expect(await writer.send(TEXT)).toBe(true);
    socket.close();
    await once(client, 'close');
    expect(received).toBe(100);
  });

  it('sends frames that were made before, of any size, between others', async () => {
    const texts = [0, 1, 125, 126, 65_535, 65_536, 300_000].map((size) => 'ä'.repeat(size >> 1) + 'x'.repeat(size % 2));
    const received: string[] = [];
    client.on('message', (data: Buffer) => received.push(data.toString()));
    const writer = writerOf();
    for (const text of texts) expect(await writer.send(text)).toBe(true);
    expect(await writer.sendFrames(Buffer.concat(texts.map(textFrame)))).toBe(true);
    for (const text of texts) expect(await writer.sendFrames(textFrame(text))).toBe(true);
    socket.close();
    await once(client, 'close');
    expect(received).toEqual([...texts, ...texts, ...texts]);
  });

  it('waits for a slow reader, and says when it is stuck, with frames that were made before too', async () => {
    client.pause();
    const writer = writerOf(100);
    const frame = textFrame(TEXT);
    while (await writer.sendFrames(frame));
    expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
    expect(socket.bufferedAmount).toBeLessThan(2_000_000);
  });

  it('has no trouble with a socket that is closed', async () => {
    client.terminate();
    await once(socket, 'close');
    expect(await writerOf().send(TEXT)).toBe(true);
    expect(await writerOf().sendFrames(textFrame(TEXT))).toBe(true);
  });
});
