import { LiveHub } from '@lattice/engine';
import type { Engine } from '@lattice/engine';
import { LatticeError, type RunEvent } from '@lattice/contracts';
import { reopenRun } from '@lattice/persistence';
import { eventually } from '../../support/eventually';
import { breakBus, completed, failed, log, testEngine, type TestEngine } from './support';

/** An engine whose queries are counted: looks at the watermark, which has the last event, and others. */
function counting(engine: Engine): { engine: Engine; looks: () => number; others: () => number } {
  let [looks, others] = [0, 0];
  const query: Engine['db']['query'] = (statement, params) => {
    if (typeof statement !== 'string' && statement.name === 'read-watermark') looks += 1;
    else others += 1;
    return engine.db.query(statement, params);
  };
  return { engine: { ...engine, db: { ...engine.db, query } }, looks: () => looks, others: () => others };
}

describe('LiveHub', () => {
  let test: TestEngine;
  let hub: LiveHub;
  beforeAll(async () => {
    test = await testEngine();
  });
  afterAll(() => test.close());
  beforeEach(() => {
    hub = new LiveHub(test.engine);
  });
  afterEach(async () => {
    await hub.close('the test is over');
    expect(hub.listeners).toBe(0);
  });

  const collect = async (following: AsyncIterable<readonly RunEvent[]>): Promise<string[]> => {
    const ids: string[] = [];
    for await (const events of following) ids.push(...events.map(({ id }) => id));
    return ids;
  };

  it('gives every event once and in order, whenever a follower comes', async () => {
    const runId = await test.submit();
    const followers: Promise<string[]>[] = [];
    const all: string[] = [];
    for (let round = 0; round < 60; round += 1) {
      followers.push(collect(hub.follow(runId, '0')));
      const events = [{ type: 'run.started' as const }, log(`${round}`), log('more')];
      all.push(...(await test.history.write(runId, events)).map(({ id }) => id));
    }
    all.push(...(await test.history.write(runId, [completed])).map(({ id }) => id));
    for (const ids of await Promise.all(followers)) expect(ids).toEqual(all);
    expect(all).toHaveLength(181);
  });

  it('begins after the id asked for, and ends at once when a finished run has nothing after it', async () => {
    const runId = await test.submit();
    const events = await test.history.write(runId, [log('a'), log('b'), completed]);
    const ids = events.map(({ id }) => id);
    expect(await collect(hub.follow(runId, ids[0] ?? ''))).toEqual(ids.slice(1));
    expect(await collect(hub.follow(runId, ids[2] ?? ''))).toEqual([]);
  });

  it('goes past the end of a run that was opened again', async () => {
    const runId = await test.submit();
    const before = await test.history.write(runId, [failed, { type: 'run.started' }]);
    const following = collect(hub.follow(runId, '0'));
    await eventually('one follows', () => hub.listeners === 1);
    const after = await test.history.write(runId, [completed]);
    expect(await following).toEqual([...before, ...after].map(({ id }) => id));
  });

  it('waits for the first event of a rerun, however late it is', async () => {
    const runId = await test.submit();
    const all = await test.history.write(runId, [failed]);
    expect(await reopenRun(test.engine.db, { runId, epoch: 1, tasks: undefined })).toBe(2);
    const following = hub.follow(runId, '0');
    expect((await following.next()).value).toMatchObject([{ id: all[0]?.id }]);
    const rest = collect(following);
    // The end of before may reach the bus after the rerun was asked for.
    await test.history.publish(all);
    for (const event of [{ type: 'run.resumed' as const }, log('again'), completed])
      all.push(...(await test.history.write(runId, [event])));
    expect(await rest).toEqual(all.slice(1).map(({ id }) => id));
  });

  it('ends with the run for whoever asks for what comes after an id beyond its last', async () => {
    const runId = await test.submit();
    const counted = counting(test.engine);
    const asking = new LiveHub(counted.engine);
    const following = collect(asking.follow(runId, '9000000000000000000'));
    await eventually('it has asked', () => counted.others() === 2);
    await test.history.write(runId, [log('a')]);
    await test.history.write(runId, [completed]);
    expect(await following).toEqual([]);
    await asking.close('done');
  });

  it('misses nothing when messages get lost: the hole in the ids tells', async () => {
    const runId = await test.submit();
    const first = await test.history.write(runId, [log('a')]);
    const following = hub.follow(runId, '0');
    expect((await following.next()).value).toMatchObject([{ id: first[0]?.id }]);
    const next = following.next();
    const shown = await test.history.write(runId, [log('b')]);
    expect((await next).value).toMatchObject([{ id: shown[0]?.id }]);
    const lost = await test.history.commit(runId, [log('c'), log('d')]);
    const rest = await test.history.write(runId, [log('e'), completed]);
    expect(await collect(following)).toEqual([...lost, ...rest].map(({ id }) => id));
  });

  it('misses nothing when the last message gets lost: from time to time it looks for the last event', async () => {
    const runId = await test.submit();
    const following = collect(hub.follow(runId, '0'));
    await eventually('one follows', () => hub.listeners === 1);
    const told = await test.history.write(runId, [log('a')]);
    const lost = await test.history.commit(runId, [log('b'), completed]);
    expect(await following).toEqual([...told, ...lost].map(({ id }) => id));
  });

  it('keeps 10,000 quiet subscriptions by one query now and then', async () => {
    const counted = counting(test.engine);
    const many = new LiveHub(counted.engine);
    const runIds = await Promise.all(Array.from({ length: 100 }, () => test.submit()));
    const following = Array.from({ length: 10_000 }, (_, n) => collect(many.follow(runIds[n % 100] ?? '', '0')));
    await eventually('all have asked', () => counted.others() === 20_000);
    const events = (await Promise.all(runIds.map((runId) => test.history.write(runId, [log('a')])))).flat();
    const looks = counted.looks();
    for (const more of [1, 2]) await eventually('it looks', () => counted.looks() >= looks + more);
    expect(counted.others()).toBe(20_000);
    const ends = (await Promise.all(runIds.map((runId) => test.history.write(runId, [completed])))).flat();
    const idsOf = (runId: string) => [...events, ...ends].filter((event) => event.runId === runId).map(({ id }) => id);
    for (const [n, ids] of (await Promise.all(following)).entries()) expect(ids).toEqual(idsOf(runIds[n % 100] ?? ''));
    await many.close('done');
  });

  it('misses nothing when the connection to the bus breaks', async () => {
    const runId = await test.submit();
    const following = collect(hub.follow(runId, '0'));
    await eventually('one follows', () => hub.listeners === 1);
    let breaks = 0;
    const all: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      all.push(...(await test.history.write(runId, [log(`${round}`)])).map(({ id }) => id));
      if (round % 7 === 3) breaks += Number(await breakBus(test.engine));
    }
    expect(breaks).toBeGreaterThan(0);
    // Only messages that come after the break tell of it: one each, until it stands again.
    let ended = false;
    void following.then(() => (ended = true));
    all.push(...(await test.history.commit(runId, [completed])).map(({ id }) => id));
    await eventually('its end is heard of', async () => {
      if (!ended) await test.history.write(await test.submit(), [log('elsewhere')]);
      return ended;
    });
    expect(await following).toEqual(all);
  });

  it('lets a slow reader have everything without keeping it for him', async () => {
    const runId = await test.submit();
    const slow = hub.follow(runId, '0');
    await test.history.write(runId, [log('first')]);
    await slow.next();
    let expected = 0;
    for (let round = 0; round < 12; round += 1) {
      expected += (
        await test.history.write(
          runId,
          Array.from({ length: 300 }, () => log('x'.repeat(500))),
        )
      ).length;
    }
    await test.history.write(runId, [completed]);
    expect(await collect(slow)).toHaveLength(expected + 1);
  });

  it('asks Postgres when a follower comes, not for each event', async () => {
    const counter = counting(test.engine);
    const counted = new LiveHub(counter.engine);
    const runId = await test.submit();
    const followers = Array.from({ length: 50 }, () => collect(counted.follow(runId, '0')));
    await eventually('all have asked', () => counter.others() >= 100);
    for (let round = 0; round < 40; round += 1) await test.history.write(runId, [log('x')]);
    await test.history.write(runId, [completed]);
    for (const ids of await Promise.all(followers)) expect(ids).toHaveLength(41);
    // The state and one page each: what came meanwhile went over the bus.
    expect(counter.others()).toBe(100);
    await counted.close('done');
  });

  it('asks nothing about a run that was just stored, and yet hears of its end, told or not', async () => {
    const counted = counting(test.engine);
    const asking = new LiveHub(counted.engine);
    // Opens the bus.
    await asking.waitForEnd(await test.submit(), 1);
    const [told, untold] = [await test.submit(), await test.submit()];
    for (const runId of [told, untold]) asking.expect(runId);
    const before = counted.others();
    const waits = [told, untold].map((runId) => asking.waitForEnd(runId, 60_000));
    await test.history.write(told, [completed]);
    await waits[0];
    expect(counted.others()).toBe(before);
    // The hole in the ids tells.
    await test.history.commit(untold, [completed]);
    await test.history.write(await test.submit(), [log('elsewhere')]);
    await waits[1];
    expect(counted.others()).toBe(before + 1);
    // Now everybody looks.
    await asking.waitForEnd(told, 60_000);
    expect(counted.others()).toBe(before + 2);
    await asking.close('done');
  });

  it('ends quietly when its signal aborts, also while it waits', async () => {
    const runId = await test.submit();
    const gone = new AbortController();
    const following = collect(hub.follow(runId, '0', { signal: gone.signal }));
    await eventually('one follows', () => hub.listeners === 1);
    gone.abort();
    expect(await following).toEqual([]);
    expect(hub.listeners).toBe(0);
    expect(await collect(hub.follow(runId, '0', { signal: gone.signal }))).toEqual([]);
  });

  it('tells its followers when it is closed, and takes no more', async () => {
    const runId = await test.submit();
    const following = collect(hub.follow(runId, '0'));
    await eventually('one follows', () => hub.listeners === 1);
    const ended = expect(following).rejects.toThrow(new LatticeError('unavailable', 'the server stops'));
    await hub.close('the server stops');
    await ended;
    await expect(collect(hub.follow(runId, '0'))).rejects.toThrow('the server stops');
  });

  describe('waitForEnd', () => {
    it('resolves with the end of the run, seen over the bus or in Postgres', async () => {
      const runId = await test.submit();
      const waiting = hub.waitForEnd(runId, 10_000);
      await eventually('one follows', () => hub.listeners === 1);
      await test.history.write(runId, [log('x'), completed]);
      const start = Date.now();
      await waiting;
      await hub.waitForEnd(runId, 10_000);
      expect(Date.now() - start).toBeLessThan(5_000);
    });

    it('resolves when the time is over, the signal aborts, or the hub is closed', async () => {
      const runId = await test.submit();
      await hub.waitForEnd(runId, 20);
      const gone = new AbortController();
      const waiting = [hub.waitForEnd(runId, 60_000, { signal: gone.signal }), hub.waitForEnd(runId, 60_000)];
      await eventually('two follow', () => hub.listeners === 2);
      gone.abort();
      await waiting[0];
      await hub.close('over');
      await waiting[1];
    });
  });
});
