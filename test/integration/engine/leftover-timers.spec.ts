import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

test('the timers of a run go with it, and not those of a run that goes on', async () => {
  const platform = await TestPlatform.open();
  try {
    await platform.scheduler();
    const timed = (uses: string) => ({ name: 'timed', timeout: '1d', tasks: { a: { uses, queueTimeout: '1d' } } });
    const deadline = new Date(Date.now() + 86_400_000).toISOString();
    const waiting = await platform.submit(timed('handler/nobody'), { deadline });
    const id = await platform.submit(timed('handler/noop'), { deadline });
    const kinds = async (runId: string): Promise<unknown[]> => {
      const rows = await platform.engine.db.query('select kind from outbox where run_id = $1 order by kind', [runId]);
      return rows.map((row) => Object.values(row as object)[0]);
    };
    const all = ['deadline', 'queue-timeout', 'timeout'];
    for (const runId of [id, waiting]) {
      await eventually('its timers are set', async () =>
        JSON.stringify(await kinds(runId)) === JSON.stringify(all) ? true : undefined,
      );
    }
    await platform.worker();
    expect((await platform.wait(id)).status).toBe('completed');
    await eventually('its timers are gone', async () => ((await kinds(id)).length === 0 ? true : undefined));
    expect(await kinds(waiting)).toEqual(all);
  } finally {
    await platform.close();
  }
});
