import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LatticeClient } from '@lattice/sdk';
import { DOCUMENT, testApi, type TestApi } from './support';

const bin = join(__dirname, '..', '..', '..', 'libs', 'cli', 'bin', 'lattice.js');

describe('schedules from the command line and the client', () => {
  let test: TestApi;
  let client: LatticeClient;
  beforeAll(async () => {
    if (!existsSync(join(__dirname, '..', '..', '..', 'libs', 'cli', 'dist', 'main.js')))
      throw new Error('build first: npm run build');
    test = await testApi();
    client = new LatticeClient({ url: test.api.url, apiKey: test.adminKey });
    await client.saveWorkflow(DOCUMENT);
  });
  afterAll(() => test.close());

  const lattice = (...args: string[]) => command('schedules', ...args);
  const command = (...args: string[]): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], LATTICE_URL: test.api.url, LATTICE_API_KEY: test.adminKey };
      execFile(process.execPath, [bin, ...args], { env }, (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      );
    });

  it('makes, shows, pauses, resumes, triggers and removes', async () => {
    const when = ['--cron', '0 9 * * 1-5', '--timezone', 'Europe/Berlin', '--catch-up', 'all', '--overlap', 'skip'];
    const created = await lattice('create', 'morning', 'hello', ...when, '-i', 'who=you', '-t', 'daily', '--json');
    expect([created.code, created.err]).toEqual([0, '']);
    expect(JSON.parse(created.out)).toMatchObject({
      name: 'morning',
      inputs: { who: 'you' },
      timezone: 'Europe/Berlin',
      catchUp: 'all',
      overlap: 'skip',
      tags: ['daily'],
      paused: false,
    });
    expect((await lattice('list')).out).toMatch(
      /morning +hello +0 9 \* \* 1-5 Europe\/Berlin +\d{4}-\d\d-\d\d 0[78]:00:00/,
    );
    expect((await lattice('pause', 'morning')).out).toBe('schedule morning is paused\n');
    expect((await lattice('get', 'morning')).out).toMatch(/next +paused/);
    expect((await lattice('resume', 'morning')).out).toContain('next tick: 2');
    const triggered = JSON.parse((await lattice('trigger', 'morning', '--json')).out);
    expect((await client.getRun(triggered.runId)).schedule).toBe('morning');
    expect((await command('runs', 'get', triggered.runId)).out).toContain('morning (by hand)');
    expect((await client.schedules.get('morning')).lastRunId).toBe(triggered.runId);
    expect((await client.schedules.change('morning', { every: '1h' })).cron).toBeNull();
    expect((await client.schedules.list()).map(({ name }) => name)).toEqual(['morning']);
    expect((await lattice('delete', 'morning')).out).toBe('schedule morning is gone\n');
    expect((await lattice('list')).out).toContain('no schedules');
  });

  it('shows ticks', async () => {
    const preview = await lattice('next', '--every', '1h', '--start-at', '2099-01-01T00:00:00Z', '-n', '2');
    expect(preview.out).toBe('2099-01-01T00:00:00.000Z\n2099-01-01T01:00:00.000Z\n');
    await client.schedules.save({ name: 'once', workflow: 'hello', at: '2099-01-01T00:00:00Z' });
    expect(JSON.parse((await lattice('next', 'once', '--json')).out)).toEqual({ ticks: ['2099-01-01T00:00:00.000Z'] });
    expect((await lattice('list')).out).toContain('once, 2099-01-01 00:00:00');
  });

  it('ends with 2 for bad input, with every fault', async () => {
    const refused = await lattice('create', 'bad', 'hello', '--cron', '61 * * * *', '--timezone', 'Mars');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('/cron');
    expect(refused.err).toContain('/timezone');
    expect((await lattice('next')).code).toBe(2);
    expect((await lattice('next', 'once', '--every', '5m')).code).toBe(2);
    expect((await lattice('get', 'none')).code).toBe(2);
    expect((await lattice('next', '--every', '5m', '-n', '1000')).code).toBe(2);
  });
});
