import { requestCancel, requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';
import { ownServices, type OwnServices } from '../../support/services';

const SLOW_MS = 60_000;
const DELAY_MS = 8_000;

let services: OwnServices;
let platform: TestPlatform;

beforeAll(async () => {
  services = await ownServices();
  platform = await TestPlatform.running({ environment: { REDIS_URL: services.redisUrl, LATTICE_LOCK: '1s' } });
});
afterEach(() => platform.settled());
afterAll(async () => {
  await platform.close();
  await services.stop();
});

const later = (name: string) => ({
  name,
  tasks: { a: { uses: 'handler/note', with: { run: '${{ run.id }}', task: 'a', value: 1 } } },
});

async function becomes(runId: string, status: string): Promise<void> {
  await eventually(`the run is ${status}`, async () =>
    (await platform.read(runId)).status === status ? true : undefined,
  );
}

/** The order to pause or resume has been dealt with. */
async function onlyItsTimeIsLeft(runId: string): Promise<void> {
  await eventually('the order is dealt with', async () => {
    const rows = await platform.engine.db.query('select kind from outbox where run_id = $1', [runId]);
    return rows.every(({ kind }) => kind === 'run') ? true : undefined;
  });
}

async function paused(name: string): Promise<string> {
  const id = await platform.submit(later(name), { delay: `${DELAY_MS}ms` });
  await requestControl(platform.engine, id, 'pause');
  await becomes(id, 'paused');
  await onlyItsTimeIsLeft(id);
  return id;
}

async function resume(runId: string): Promise<void> {
  await requestControl(platform.engine, runId, 'resume');
  await becomes(runId, 'running');
  await onlyItsTimeIsLeft(runId);
}

const begunAt = (runId: string): number | undefined => readLedger(platform.ledger).find(({ run }) => run === runId)?.at;

test(
  'delayed runs that were paused wait for their time also when Redis is emptied before',
  async () => {
    const submitted = Date.now();
    const goesOn = await paused('goes-on');
    await resume(goesOn);
    const early = await paused('early');
    const late = await paused('late');
    await services.flushRedis();
    await eventually('they were made again', async () =>
      (await platform.events(early)).some(({ type }) => type === 'run.recovered') ? true : undefined,
    );
    await resume(early);
    expect(Date.now()).toBeLessThan(submitted + DELAY_MS);
    for (const id of [goesOn, early]) {
      const run = await platform.wait(id);
      expect(run.status).toBe('completed');
      expect(begunAt(id)).toBeGreaterThanOrEqual(submitted + DELAY_MS);
      expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
    }
    // Its time has passed, and nobody has said that it may go on.
    await becomes(late, 'paused');
    await eventually('it was sent', async () => {
      const rows = await platform.engine.db.query('select from outbox where run_id = $1', [late]);
      return rows.length === 0 ? true : undefined;
    });
    expect(begunAt(late)).toBeUndefined();
    await requestControl(platform.engine, late, 'resume');
    expect((await platform.wait(late)).status).toBe('completed');
  },
  SLOW_MS,
);

test(
  'a run that is paused while it waits for a limit is still paused when Redis was emptied',
  async () => {
    const document = { ...later('limited'), concurrency: {} };
    const holder = { ...document, tasks: { a: { uses: 'wait', with: { signal: 'go' } } } };
    const first = await platform.submit(holder);
    await becomes(first, 'waiting');
    const second = await platform.submit(document);
    await requestControl(platform.engine, second, 'pause');
    await becomes(second, 'paused');
    await services.flushRedis();
    await eventually('it was made again', async () =>
      (await platform.events(second)).some(({ type }) => type === 'run.recovered') ? true : undefined,
    );
    await requestCancel(platform.engine, first, 'enough');
    expect((await platform.wait(first)).status).toBe('cancelled');
    await eventually('it was let in', async () => {
      const rows = await platform.engine.db.query('select from outbox where run_id = $1', [second]);
      return rows.length === 0 ? true : undefined;
    });
    expect(await platform.read(second)).toMatchObject({ status: 'paused', tasks: [{ attempts: 0 }] });
    await requestControl(platform.engine, second, 'resume');
    expect((await platform.wait(second)).status).toBe('completed');
  },
  SLOW_MS,
);
