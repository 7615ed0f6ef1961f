import fc from 'fast-check';
import { eventually } from '../../support/eventually';
import { usedBytes } from '../../support/used-bytes';
import { SocketClients, type SocketClient } from './socket-client';
import { completed, log, testApi, type TestApi } from './support';

describe('readers of WS /v1/ws', () => {
  let test: TestApi;
  const clients = new SocketClients();
  beforeAll(async () => {
    test = await testApi();
  });
  afterEach(() => clients.close());
  afterAll(() => test.close());

  const open = (): SocketClient => clients.open(test.api.url, { authorization: `Bearer ${test.adminKey}` });
  /** When nobody follows any run, the API lets go of the bus. */
  const nobodyFollows = async () => {
    const { redis, keys } = test.engine.queue;
    return Number((await redis.pubsub('NUMSUB', keys.channel('live')))[1]) === 0;
  };

  it('drops those that do not read, with the reason and within little memory; they go on after their last event', async () => {
    const [readers, bytes, batch] = [30, 20_000, 50];
    const runId = await test.submit();
    const text = 'x'.repeat(bytes);
    const stuck = Array.from({ length: readers }, open);
    await Promise.all(stuck.map((client) => client.send({ op: 'subscribe', runId }, { op: 'ping' })));
    await Promise.all(stuck.map((client) => client.has(1)));
    for (const client of stuck) client.socket.pause();
    const before = usedBytes();
    const ids: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      const events = Array.from({ length: batch }, () => log(text));
      ids.push(...(await test.history.write(runId, events)).map(({ id }) => id));
    }
    // Twelve megabytes for each of them: kept for all, it would be 360.
    const perReader = (usedBytes() - before) / readers;
    expect(ids.length * bytes).toBe(12_000_000);
    expect(perReader).toBeLessThan(5_000_000);
    await eventually('all are dropped', nobodyFollows);
    for (const client of stuck) client.socket.resume();
    const ends = await Promise.all(stuck.map(({ closed }) => closed));
    const reason = 'the reader is too slow; subscribe again after the last event';
    expect(ends).toEqual(ends.map(() => ({ code: 4408, reason })));
    ids.push(...(await test.history.write(runId, [completed])).map(({ id }) => id));
    for (const earlier of stuck.slice(0, 3)) {
      const seen = earlier.ids();
      expect(seen.length).toBeLessThan(ids.length);
      const client = await open().send({ op: 'subscribe', runId, after: seen.at(-1) ?? '0' });
      await eventually('the rest has come', () => client.ids().length >= ids.length - seen.length);
      expect([...seen, ...client.ids()]).toEqual(ids);
    }
  });

  it('reads no more of a client that sends faulty frames and does not read what it is told of them', async () => {
    const client = await open().send({ op: 'ping' });
    await client.has(1);
    client.socket.pause();
    const before = usedBytes();
    const rude = '{"op":"subscribe","runId":1}';
    while (client.socket.bufferedAmount < 1_000_000) client.socket.send(rude);
    const feeding = setInterval(() => {
      while (client.socket.readyState === client.socket.OPEN && client.socket.bufferedAmount < 1_000_000)
        client.socket.send(rude);
    }, 5);
    // The client has no memory of its own for what it sends: when it stays full, the API does not read it any more.
    let [full, seen] = [0, 0];
    await eventually('the API reads no more', () => {
      full = client.socket.bufferedAmount === seen && seen >= 1_000_000 ? full + 1 : 0;
      seen = client.socket.bufferedAmount;
      return full > 20;
    });
    clearInterval(feeding);
    expect(usedBytes() - before).toBeLessThan(30_000_000);
    client.socket.resume();
    await eventually('it reads again', () => client.frames.length > 1_000);
  });

  it('follows 1,000 runs over one socket, and no more', async () => {
    const runIds: string[] = [];
    while (runIds.length < 1_001) runIds.push(...(await Promise.all(Array.from({ length: 77 }, () => test.submit()))));
    const [last = '', ...followed] = runIds.slice(0, 1_001);
    const client = await open().send(...followed.map((runId) => ({ op: 'subscribe', runId })));
    await client.send({ op: 'subscribe', runId: last }, { op: 'ping' });
    await eventually('all are followed', () => client.frames.some(({ op }) => op === 'pong'));
    expect(client.frames).toEqual([
      expect.objectContaining({ op: 'error', code: 'too_many_requests', runId: last }),
      { op: 'pong' },
    ]);
    const some = followed.filter((_, n) => n % 50 === 0);
    for (const runId of some) await test.history.write(runId, [log('a'), completed]);
    await eventually('all have ended', () => client.ids().length >= 2 * some.length);
    for (const runId of some) expect(client.ids(runId)).toHaveLength(2);
    // What has ended leaves room.
    await client.send({ op: 'subscribe', runId: last });
    const [event] = await test.history.write(last, [log('b')]);
    await eventually('the last one is followed', () => client.ids(last).length === 1);
    expect(client.ids(last)).toEqual([event?.id]);
  });

  it('gives nobody an event twice and nobody one less, whenever and after whatever id he comes, leaves and comes again', async () => {
    const plan = fc.record({
      // One batch of events after the other, of one of three runs; one in five is not told over the bus.
      batches: fc.array(
        fc.record({ run: fc.nat(2), size: fc.integer({ min: 1, max: 6 }), lost: fc.nat(4).map((n) => n === 0) }),
        { minLength: 5, maxLength: 25 },
      ),
      readers: fc.array(
        fc.record({
          run: fc.nat(2),
          // After which batches he comes, and leaves: by saying so, or by falling silent.
          turns: fc.array(fc.nat(24), { minLength: 1, maxLength: 5 }),
          rudely: fc.boolean(),
          from: fc.nat(10),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ batches, readers }) => {
        const runIds = [await test.submit(), await test.submit(), await test.submit()];
        const written: string[][] = [[], [], []];
        const all = readers.map((reader) => new Reader(open, runIds[reader.run] ?? '', reader));
        for (const [at, { run, size, lost }] of batches.entries()) {
          const runId = runIds[run] ?? '';
          const events = Array.from({ length: size }, () => log(`${at}`));
          const how = lost ? test.history.commit(runId, events) : test.history.write(runId, events);
          // They come and go while it is written.
          await Promise.all(all.map((reader, n) => reader.turn(at, written[readers[n]?.run ?? 0] ?? [])));
          written[run]?.push(...(await how).map(({ id }) => id));
        }
        for (const [run, runId] of runIds.entries())
          written[run]?.push(...(await test.history.write(runId, [completed])).map(({ id }) => id));
        await Promise.all(all.map((reader) => reader.come()));
        for (const [n, reader] of all.entries()) {
          const expected = (written[readers[n]?.run ?? 0] ?? []).filter((id) => BigInt(id) > BigInt(reader.first));
          await eventually('all has come', () => reader.ids.length >= expected.length);
          expect(reader.ids).toEqual(expected);
        }
        clients.close();
      }),
      { numRuns: 12 },
    );
  });
});

/** Somebody who comes and goes, and goes on after the last event he has. */
class Reader {
  /** The id after which he came first. */
  first = '0';
  private client: SocketClient | undefined;
  private seen: string[] | undefined;

  constructor(
    private readonly open: () => SocketClient,
    private readonly runId: string,
    private readonly habits: { turns: readonly number[]; rudely: boolean; from: number },
  ) {}

  get ids(): string[] {
    return [...(this.seen ?? []), ...(this.client?.ids() ?? [])];
  }

  /** Comes or leaves, if it is his turn; `written` are the events there surely are. */
  async turn(at: number, written: readonly string[]): Promise<void> {
    if (!this.habits.turns.includes(at)) return;
    if (this.seen === undefined) this.first = written[Math.min(this.habits.from, written.length - 1)] ?? '0';
    await (this.client === undefined ? this.come() : this.leave());
  }

  async come(): Promise<void> {
    if (this.client !== undefined) return;
    this.seen ??= [];
    this.client = await this.open().send({
      op: 'subscribe',
      runId: this.runId,
      after: this.seen.at(-1) ?? this.first,
    });
  }

  private async leave(): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    if (this.habits.rudely) {
      client.close();
      await client.closed;
    } else {
      await client.send({ op: 'unsubscribe', runId: this.runId }, { op: 'ping' });
      await eventually('he is let go', () => client.frames.some(({ op }) => op === 'pong'));
    }
    this.seen = this.ids;
    this.client = undefined;
  }
}
