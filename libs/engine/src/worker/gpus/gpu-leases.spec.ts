import type { Gpu } from '@lattice/contracts';
import fc from 'fast-check';
import { WHOLE, type Device } from './allocate';
import { GpuLeases, type GpuLease } from './gpu-leases';
import type { Lock, LockFolder } from './lock-folder';

const GIB = 2 ** 30;
const gpu = (host: number, index: number): Gpu => ({
  uuid: `GPU-${host}-${index}`,
  index,
  name: 'NVIDIA T4',
  model: 't4',
  memory: (index + 1) * 8 * GIB,
  mig: false,
  healthy: true,
  fault: null,
});

/** A host as its kernel sees it: files, who has them locked, which processes live. */
class Host implements LockFolder {
  readonly files = new Map<string, { text: string; holders: Set<string> }>();
  /** Processes of tasks, each with the worker process that started it. Some do not hold the lock: descriptors can be closed. */
  readonly tasks = new Map<string, { owner: string; lease: GpuLease }>();
  readonly alive = new Set<string>();

  names = () => Promise.resolve([...this.files.keys()]);
  read = (name: string) => Promise.resolve(this.files.get(name)?.text);
  isHeld = (name: string) => Promise.resolve((this.files.get(name)?.holders.size ?? 0) > 0);
  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }
  create(): Promise<Lock> {
    return Promise.reject(new Error('by a process: see as'));
  }
  async exclusively(name: string, work: (text: string) => Promise<string>): Promise<void> {
    const file = this.files.get(name) ?? { text: '', holders: new Set() };
    this.files.set(name, file);
    file.text = await work(file.text);
  }

  /** The folder as one process has it. */
  as(owner: string): LockFolder {
    return {
      names: this.names,
      read: this.read,
      isHeld: this.isHeld,
      remove: (name) => this.remove(name),
      exclusively: (name, work) => this.exclusively(name, work),
      create: (name, text) => {
        const file = { text, holders: new Set([owner]) };
        this.files.set(name, file);
        return Promise.resolve({ name, fd: 1, close: () => Promise.resolve(void file.holders.delete(owner)) });
      },
    };
  }

  lockOf(lease: GpuLease) {
    return this.files.get(`lease-${lease.token}`);
  }

  /** Tasks that nobody can tell for their worker's any more, as those without its mark: only the lock says that they are there. */
  readonly untold = new Set<string>();

  stillThere = (owner: string) => {
    const told = [...this.tasks].filter(([task]) => !this.untold.has(task));
    return Promise.resolve(this.alive.has(owner) || told.some(([, task]) => task.owner === owner));
  };

  end(task: string): void {
    const { lease } = this.tasks.get(task) ?? {};
    this.tasks.delete(task);
    if (lease !== undefined) this.lockOf(lease)?.holders.delete(task);
  }

  kill(owner: string): void {
    this.alive.delete(owner);
    for (const { holders } of this.files.values()) holders.delete(owner);
  }
}

interface Process {
  readonly owner: string;
  readonly leases: GpuLeases;
}

/** What really uses the GPUs: the processes of tasks. */
function faultsOf(host: Host): string[] {
  const used = new Map<string, number>();
  const seen = new Set<GpuLease>();
  for (const { lease } of host.tasks.values()) {
    if (seen.has(lease)) continue;
    seen.add(lease);
    for (const { uuid, share } of lease.devices) used.set(uuid, (used.get(uuid) ?? 0) + share);
  }
  return [...used].flatMap(([uuid, share]) => (share > WHOLE ? [`${uuid} is used ${share / WHOLE} times`] : []));
}

const op = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      who: fc.nat(5),
      gpu: fc.constantFrom(0.25, 0.5, 0.3, 1, 1, 2),
      memory: fc.constantFrom(0, 4 * GIB, 12 * GIB),
      inherits: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), who: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), who: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlock' as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hide' as const), pick: fc.nat(20) }) },
);

test('over 1,000 random lives of a fleet: no GPU has two holders, none is leaked or stranded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 60 }), async (ops) => {
      const hosts = [new Host(), new Host()];
      const gpusOf = (at: number) => [gpu(at, 0), gpu(at, 1), gpu(at, 2)];
      const workers: (Process | undefined)[] = [];
      let count = 0;
      const start = (who: number): void => {
        const host = hosts[who % 2] ?? new Host();
        const owner = `worker-${who}-${(count += 1)}`;
        host.alive.add(owner);
        const folder = host.as(owner);
        workers[who] = {
          owner,
          leases: new GpuLeases({ folder, workerId: `w${who}`, owner, stillThere: host.stillThere }),
        };
      };
      for (let who = 0; who < 6; who += 1) start(who);
      let last = 0;
      for (const step of ops) {
        if (step.do === 'take') {
          const worker = workers[step.who];
          const host = hosts[step.who % 2];
          if (worker === undefined || host === undefined) continue;
          const lease = await worker.leases.take({ gpu: step.gpu, gpuMemory: step.memory }, gpusOf(step.who % 2));
          if (lease === undefined) continue;
          expect(lease.token).toBeGreaterThan(0);
          const task = `task-${(last += 1)}`;
          host.tasks.set(task, { owner: worker.owner, lease });
          if (step.inherits) host.lockOf(lease)?.holders.add(task);
        } else if (step.do === 'finish' || step.do === 'die') {
          const all = hosts.flatMap((host) => [...host.tasks].map(([task, entry]) => ({ host, task, ...entry })));
          const picked = all[step.pick % Math.max(1, all.length)];
          if (picked === undefined) continue;
          const worker = workers.find((one) => one?.owner === picked.owner);
          // The tasks of a dead worker end at some time; those of a living one end before it gives the lease back.
          if ((step.do === 'die') === (worker !== undefined)) continue;
          picked.host.end(picked.task);
          await worker?.leases.giveBack(picked.lease);
          await worker?.leases.giveBack(picked.lease);
        } else if (step.do === 'unlock') {
          // A task may give up the lock that it inherited: it stays its worker's all the same.
          const all = hosts.flatMap((host) =>
            [...host.tasks].filter(([task]) => !host.untold.has(task)).map(([, { lease }]) => host.lockOf(lease)),
          );
          all[step.pick % Math.max(1, all.length)]?.holders.clear();
        } else if (step.do === 'hide') {
          // One that lost both its mark and its lock is found by nobody: a task does the one or the other.
          const all = hosts.flatMap((host) =>
            [...host.tasks]
              .filter(([task, { lease }]) => host.lockOf(lease)?.holders.has(task) === true)
              .map(([task]) => ({ host, task })),
          );
          const picked = all[step.pick % Math.max(1, all.length)];
          picked?.host.untold.add(picked.task);
        } else if (step.do === 'crash') {
          const worker = workers[step.who];
          if (worker !== undefined) hosts[step.who % 2]?.kill(worker.owner);
          workers[step.who] = undefined;
        } else if (workers[step.who] === undefined) start(step.who);
        expect(hosts.flatMap(faultsOf)).toEqual([]);
      }
      for (const [at, host] of hosts.entries()) {
        for (const task of [...host.tasks.keys()]) {
          const { owner, lease } = host.tasks.get(task) ?? {};
          host.end(task);
          if (lease !== undefined) await workers.find((one) => one?.owner === owner)?.leases.giveBack(lease);
        }
        expect(workers.filter((_, who) => who % 2 === at).flatMap((one) => one?.leases.held ?? [])).toEqual([]);
        start(at);
        const all = await workers[at]?.leases.take({ gpu: 3, gpuMemory: 0 }, gpusOf(at));
        expect(all?.devices.length).toBe(3);
        if (all !== undefined) await workers[at]?.leases.giveBack(all);
        expect([...host.files.keys()].filter((name) => name.startsWith('lease-'))).toEqual([]);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('tokens rise, also when the file that counts them was lost', async () => {
  const host = new Host();
  host.alive.add('a');
  const options = { folder: host.as('a'), workerId: 'a', owner: 'a', stillThere: host.stillThere };
  const leases = new GpuLeases(options);
  const tokens: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const lease = await leases.take({ gpu: 1, gpuMemory: 0 }, [gpu(0, 0)]);
    tokens.push(lease?.token ?? 0);
    if (lease !== undefined) await leases.giveBack(lease);
    if (round === 1) await host.remove('host.lock');
  }
  expect(tokens[1]).toBeGreaterThan(tokens[0] ?? 0);
  expect(tokens[2]).toBeGreaterThan(tokens[1] ?? 0);
});

test('leases of the dead hold for as long as something of theirs runs', async () => {
  const host = new Host();
  const of = (owner: string) => {
    host.alive.add(owner);
    return new GpuLeases({ folder: host.as(owner), workerId: owner, owner, stillThere: host.stillThere });
  };
  const need = { gpu: 1, gpuMemory: 0 };
  const lease = await of('a').take(need, [gpu(0, 0)]);
  if (lease === undefined) throw new Error('no lease');
  host.tasks.set('container', { owner: 'a', lease });
  host.kill('a');
  const later = of('b');
  expect(await later.take(need, [gpu(0, 0)])).toBeUndefined();
  host.end('container');
  const device: Device = { uuid: 'GPU-0-0', share: WHOLE, memory: 8 * GIB };
  expect((await later.take(need, [gpu(0, 0)]))?.devices).toEqual([device]);
});

test('a lease that is given back stands until what goes on with it has ended', async () => {
  const host = new Host();
  host.alive.add('a');
  const leases = new GpuLeases({ folder: host.as('a'), workerId: 'a', owner: 'a', stillThere: host.stillThere });
  const need = { gpu: 1, gpuMemory: 0 };
  const lease = await leases.take(need, [gpu(0, 0)]);
  if (lease === undefined) throw new Error('no lease');
  let end: (error: Error) => void = () => undefined;
  leases.holdUntil(lease, new Promise((_, reject) => (end = reject)));
  leases.holdUntil(lease, Promise.resolve());
  const givenBack = leases.giveBack(lease);
  expect(await leases.take(need, [gpu(0, 0)])).toBeUndefined();
  expect(leases.held).toEqual([lease]);
  end(new Error('it threw, late'));
  await givenBack;
  const next = await leases.take(need, [gpu(0, 0)]);
  if (next === undefined) throw new Error('no second lease');
  // At once, where nothing goes on: the next job looks right after.
  void leases.giveBack(next);
  expect(leases.held).toEqual([]);
});
