import { z } from 'zod';
import { eventually } from '../support/eventually';
import { CommandTest } from './support';

const workersSchema = z.object({ workers: z.array(z.object({ workerId: z.string(), status: z.string() })) });

let test: CommandTest;
beforeAll(async () => {
  test = await CommandTest.open(1);
});
afterAll(() => test.close());

const becomes = (status: string) =>
  eventually(
    `the worker is ${status}`,
    async () => {
      const { workers } = workersSchema.parse(await test.json('workers'));
      return workers.find((one) => one.workerId === 'worker-1' && one.status === status);
    },
    20_000,
  );

describe('lattice workers', () => {
  it('cordons, uncordons and drains a worker', async () => {
    await becomes('online');
    const cordoned = await test.lattice('workers', 'cordon', 'worker-1');
    expect(cordoned).toEqual({
      code: 0,
      out: 'worker worker-1 takes no new tasks; what runs there goes on\n',
      err: '',
    });
    await becomes('cordoned');
    expect((await test.lattice('workers')).out).toMatch(/^WORKER +STATUS .*\nworker-1 +cordoned /);
    expect(await test.json('workers', 'uncordon', 'worker-1')).toEqual({ workerId: 'worker-1', order: 'uncordon' });
    await becomes('online');
    expect((await test.lattice('workers', 'drain', 'worker-1')).out).toContain('is drained when');
    await becomes('drained');
  });

  it('ends with 2 for a worker that is not there and for a bad timeout', async () => {
    const nobody = await test.lattice('workers', 'drain', 'nobody');
    expect(nobody).toMatchObject({
      code: 2,
      err: expect.stringContaining('see `lattice workers` for the ids') as string,
    });
    expect(await test.lattice('workers', 'drain', 'worker-1', '--timeout', 'soon')).toMatchObject({
      code: 2,
      err: expect.stringContaining('/timeout bad_duration') as string,
    });
  });
});

describe('lattice cache clear', () => {
  it('forgets kept results, all or those of a workflow', async () => {
    await test.lattice('workers', 'uncordon', 'worker-1');
    await becomes('online');
    const source = 'export default () => 1';
    const kept = (name: string) => ({
      name,
      tasks: { one: { uses: 'code', cache: {}, with: { language: 'javascript', source } } },
    });
    for (const name of ['first', 'second']) {
      test.write(`${name}.json`, JSON.stringify(kept(name)));
      expect((await test.lattice('run', `${name}.json`)).code).toBe(0);
    }
    expect(await test.json('cache', 'clear', '--workflow', 'first', '--task', 'two')).toEqual({ cleared: 0 });
    expect((await test.lattice('cache', 'clear', '--workflow', 'first')).out).toBe('1 kept result forgotten\n');
    expect(await test.json('cache', 'clear')).toEqual({ cleared: 1 });
  });
});
