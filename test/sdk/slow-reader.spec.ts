import { LatticeClient } from '@lattice/sdk';
import { startApi, type RunningApi } from '../../apps/api/src/start-api';
import { completed, log, testApi, type TestApi } from '../integration/api/support';
import { eventually } from '../support/eventually';
import { usedBytes } from '../support/used-bytes';

const EVENTS = 24_000;
const BATCH = 1_000;
const TEXT = 'x'.repeat(1_000);

describe('a slow reader with the SDK', () => {
  let test: TestApi;
  const apis: RunningApi[] = [];
  beforeAll(async () => {
    test = await testApi();
  });
  afterAll(async () => {
    for (const api of apis) await api.close();
    await test.close();
  });

  /** The same API again, where it was. */
  const startAgain = async (port: number): Promise<void> => {
    const { engine } = test;
    apis.push(await startApi({ ...engine, settings: { ...engine.settings, port } }));
  };
  /** When nobody follows any run, the API lets go of the bus. */
  const nobodyFollows = async (): Promise<true | undefined> => {
    const { redis, keys } = test.engine.queue;
    return Number((await redis.pubsub('NUMSUB', keys.channel('live')))[1]) === 0 ? true : undefined;
  };

  it('gets each of 24,000 events once, though it is dropped, and the API goes and comes again; nobody keeps them for it', async () => {
    const runId = await test.submit();
    const ids: string[] = [];
    const write = async (): Promise<void> => {
      const events = Array.from({ length: BATCH }, () => log(TEXT));
      ids.push(...(await test.history.write(runId, events)).map(({ id }) => id));
    };
    while (ids.length < EVENTS / 2) await write();
    const client = new LatticeClient({ url: test.api.url, apiKey: test.adminKey });
    const events = client.events(runId)[Symbol.asyncIterator]();
    const seen: string[] = [];
    const take = async (count: number): Promise<void> => {
      for (const end = seen.length + count; seen.length < end;) {
        const { done, value } = await events.next();
        if (done === true) return;
        seen.push(value.id);
      }
    };

    await take(100);
    const before = usedBytes();
    while (ids.length < EVENTS) await write();
    await eventually('it is dropped, for it takes nothing', nobodyFollows, 40_000);
    // Kept for it, in the API or in the client, it would be 24 MB.
    expect(usedBytes() - before).toBeLessThan(8_000_000);

    await take(EVENTS / 3);
    const { port } = new URL(test.api.url);
    await test.api.close();
    await take(20);
    await startAgain(Number(port));
    await take(EVENTS / 3);
    ids.push(...(await test.history.write(runId, [completed])).map(({ id }) => id));
    await take(Infinity);
    expect(seen.length).toBe(EVENTS + 1);
    expect(seen).toEqual(ids);
  });
});
