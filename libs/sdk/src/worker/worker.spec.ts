import { once } from 'node:events';
import { workerFrameSchema, type PlatformFrame, type WorkerFrame } from '@lattice/contracts';
import { WebSocketServer } from 'ws';
import { worker } from './worker';

it('does not repeat a frame for whose size the connection was closed, whatever the limit was said to be', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 100_000 });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const closes: number[] = [];
  const result = new Promise<WorkerFrame>((resolve) => {
    server.on('connection', (socket) => {
      const say = (frame: PlatformFrame): void => socket.send(JSON.stringify(frame));
      socket.on('error', () => undefined);
      socket.on('close', (code) => closes.push(code));
      socket.on('message', (data: Buffer) => {
        const frame = workerFrameSchema.parse(JSON.parse(data.toString()));
        if (frame.op === 'result') resolve(frame);
        if (frame.op !== 'hello') return;
        const kept = frame.attempts.map(({ id }) => id);
        say({ op: 'welcome', leaseMs: 60_000, kept, lost: [], maxFrame: 1_000_000 });
        if (kept.length > 0) return;
        const order = { id: 'a', lease: 'l', runId: 'r', taskKey: 't', attempt: 1, input: null };
        say({ op: 'execute', handler: 'large', ...order });
      });
    });
  });
  const one = worker({ url: `http://127.0.0.1:${port}`, handlers: { large: () => 'x'.repeat(500_000) } });
  try {
    expect(await result).toMatchObject({ outcome: { status: 'failed', error: { code: 'output_too_large' } } });
    expect(closes).toHaveLength(1);
  } finally {
    await one.stop(0);
    server.close();
  }
});
