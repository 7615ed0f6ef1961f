import type { Need, ResourceClass } from '@lattice/flow';
import type { GpuLease } from './gpus/gpu-leases';
import { ResourceLedger, type LedgerOptions, type Reservation } from './resource-ledger';

const classOf = (name: string, need: Partial<Need>, more: Partial<ResourceClass> = {}): ResourceClass => ({
  name,
  uses: 'handler',
  handler: name,
  need: { cpu: 0, memory: 0, gpu: 0, gpuMemory: 0, ...need },
  rules: {},
  ...more,
});

/** A ledger in which jobs of every class wait, over a host with so many GPUs. */
function ledgerOf(
  classes: readonly ResourceClass[],
  { gpus = 0, cpu = 4, ...options }: Partial<LedgerOptions> & { gpus?: number; cpu?: number } = {},
): { ledger: ResourceLedger; given: GpuLease[] } {
  const given: GpuLease[] = [];
  let token = 0;
  const ledger = new ResourceLedger({
    capacity: { cpu, memory: 2 ** 30, slots: 100 },
    look: () => Promise.resolve({ ids: ['job'], priority: 1_000_000, due: false }),
    reluctance: () => 0,
    admits: () => true,
    mayHaveGpus: () => true,
    takeGpus: () => {
      if (given.length >= gpus) return Promise.resolve(undefined);
      token += 1;
      const lease = { token, devices: [{ uuid: `GPU-${token}`, share: 1_000, memory: 0 }], fds: [] };
      given.push(lease);
      return Promise.resolve(lease);
    },
    giveBackGpus: (lease) => given.splice(given.indexOf(lease), 1),
    wakeIn: () => undefined,
    ...options,
  });
  for (const entry of classes) ledger.add(entry);
  return { ledger, given };
}

async function reserved(ledger: ResourceLedger, name: string): Promise<Reservation> {
  const answer = await ledger.reserve(name);
  if (typeof answer === 'string') throw new Error(`${name}: ${answer}`);
  return answer;
}

test('a job that moves to the batch of its key has the GPUs of that batch', async () => {
  const { ledger, given } = ledgerOf([classOf('embed', { gpu: 1 }, { batch: { size: 2, timeoutMs: 1_000 } })], {
    gpus: 2,
  });
  const jobs: Reservation[] = [];
  for (let n = 0; n < 3; n += 1) jobs.push(await reserved(ledger, 'embed'));
  const [first, second, third] = jobs;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three jobs');
  expect([first, second, third].map(({ gpus }) => gpus?.token)).toEqual([1, 1, 2]);
  expect(ledger.claim(first, { key: 'a', alone: false })).toBe(true);
  expect(ledger.claim(second, { key: 'b', alone: false })).toBe(true);
  expect(second.batch?.lane).toBe(third.batch?.lane);
  expect(second.gpus?.token).toBe(2);
  for (const job of jobs) ledger.giveBack(job);
  expect(given).toEqual([]);
});

describe('room that is kept', () => {
  let now = 0;
  beforeEach(() => jest.spyOn(performance, 'now').mockImplementation(() => now));
  afterEach(() => jest.restoreAllMocks());

  /** The class asks in vain for longer than others may go before it. */
  const waitsLong = async (ledger: ResourceLedger, name: string): Promise<void> => {
    expect(await ledger.reserve(name)).toBe('full');
    now += 1_100;
    expect(await ledger.reserve(name)).toBe('full');
  };
  const small = classOf('small', { cpu: 1 });
  const big = classOf('big', { cpu: 4 });

  test('is kept for a class that is too big for what is left, and no longer once it may not run here', async () => {
    let admits = true;
    const { ledger } = ledgerOf([small, big], { admits: ({ name }) => name !== 'big' || admits });
    await reserved(ledger, 'small');
    await waitsLong(ledger, 'big');
    expect(await ledger.reserve('small')).toBe('full');
    admits = false;
    expect(await ledger.reserve('big')).toBe('nothing');
    await reserved(ledger, 'small');
  });

  test('is kept for jobs that were put aside and whose time has come', async () => {
    const { ledger } = ledgerOf([small, big], {
      look: () => Promise.resolve({ ids: [], priority: undefined, due: true }),
    });
    await reserved(ledger, 'small');
    await waitsLong(ledger, 'big');
    expect(await ledger.reserve('small')).toBe('full');
  });

  test.each([
    ['this worker', false],
    ['another worker of the host', true],
  ])('is not kept for a class that lacks GPUs, which %s has', async (_, mayHave) => {
    const { ledger } = ledgerOf([small, classOf('train', { cpu: 4, gpu: 1 })], { mayHaveGpus: () => mayHave });
    await waitsLong(ledger, 'train');
    const one = await reserved(ledger, 'small');
    expect(ledger.mayGoOn(one)).toBe(true);
    // Nor is it when others take what it would need beside them.
    expect(await ledger.reserve('train')).toBe('full');
    await reserved(ledger, 'small');
  });

  test('GPUs are kept for the class that waits for them longest', async () => {
    const classes = [classOf('one', { gpu: 1 }), classOf('pair', { gpu: 2 }), small];
    const { ledger } = ledgerOf(classes, { gpus: 9, mayHaveGpus: ({ gpu }) => gpu < 2 });
    const one = await reserved(ledger, 'one');
    await waitsLong(ledger, 'pair');
    expect(await ledger.reserve('one')).toBe('full');
    expect(ledger.mayGoOn(one)).toBe(false);
    await reserved(ledger, 'small');
  });
});

test('free is what no job has: not less for a look into a queue, and less once for a batch', async () => {
  const batch = { size: 2, timeoutMs: 1_000 };
  const { ledger } = ledgerOf([classOf('one', { cpu: 1 }), classOf('embed', { cpu: 2 }, { batch })]);
  const about = { runId: 'run', taskKey: 'task', priority: 0 };
  const one = await reserved(ledger, 'one');
  expect([ledger.left.cpu, ledger.unused.cpu]).toEqual([3, 4]);
  one.about = about;
  const members = [await reserved(ledger, 'embed'), await reserved(ledger, 'embed')];
  for (const member of members) member.about = about;
  expect(ledger.unused).toEqual(ledger.left);
  expect(ledger.unused).toMatchObject({ cpu: 1, slots: 98 });
  for (const reservation of [one, ...members]) ledger.giveBack(reservation);
  expect(ledger.unused).toEqual(ledger.total);
});
