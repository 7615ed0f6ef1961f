import { MAX_LOST } from '@lattice/queue';
import { readWorkers, requestCancel } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

test('a task that more workers gave back than may be lost is none of the lost ones; they are shown as stopped', async () => {
  const platform = await TestPlatform.open({ LATTICE_DRAIN: '1s' });
  try {
    await platform.scheduler();
    const id = await platform.submit({ name: 'long', tasks: { a: { uses: 'handler/sleep', with: { ms: 600_000 } } } });
    for (let life = 1; life <= MAX_LOST + 1; life += 1) {
      const worker = await platform.spawn({ kind: 'worker', workerId: `pod-${life}` });
      await eventually(`attempt ${life} runs`, async () => {
        const [task] = (await platform.read(id)).tasks;
        return task?.status === 'running' && task.attempts === life ? true : undefined;
      });
      // It waits for the task until its deadline, then stops it.
      worker.kill('SIGTERM');
      expect(await worker.ended).toBe('0');
    }
    const retries = await eventually('history has all of them', async () => {
      const found = (await platform.events(id)).filter(({ type }) => type === 'task.retrying');
      return found.length > MAX_LOST ? found : undefined;
    });
    const run = await platform.read(id);
    expect(run).toMatchObject({ status: 'running', tasks: [{ attempts: MAX_LOST + 1 }] });
    expect(retries.map(({ data }) => data['error'])).toEqual(
      Array.from({ length: MAX_LOST + 1 }, () => expect.objectContaining({ code: 'worker_stopped' }) as unknown),
    );
    const workers = await readWorkers(platform.engine);
    expect(workers.map(({ workerId, status, reason }) => [workerId, status, reason]).sort()).toEqual(
      Array.from({ length: MAX_LOST + 1 }, (_, index) => [`pod-${index + 1}`, 'offline', 'stopped']),
    );
    await requestCancel(platform.engine, id, 'enough');
    const ended = await platform.wait(id);
    expect(ended.status).toBe('cancelled');
    expect(faultsOfHistory(ended, await platform.events(id))).toEqual([]);
  } finally {
    await platform.close();
  }
});
