import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '../support/eventually';
import { CommandTest } from './support';

const summarySchema = z.object({
  runId: z.string(),
  status: z.string(),
  totals: z.record(z.string(), z.number()),
  slowest: z.array(z.object({ script: z.string(), executionTime: z.number() })),
  scripts: z.array(
    z.object({
      script: z.string(),
      status: z.string(),
      exitCode: z.number().nullable(),
      attempts: z.number(),
      log: z.string(),
    }),
  ),
  passedOver: z.array(z.object({ path: z.string(), reason: z.string() })),
  logs: z.string(),
});

let test: CommandTest;
beforeAll(async () => {
  // No worker but the command itself.
  test = await CommandTest.open(0);
});
afterAll(() => test.close());

const summaryOf = (text: string) => {
  const summary = summarySchema.parse(JSON.parse(text));
  const of = (script: string) => summary.scripts.find((one) => one.script === script);
  return { ...summary, of };
};

/** A zombie that nobody has taken the exit code of runs no more. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('lattice script', () => {
  it('runs the scripts of a folder, each in the folder, with a log each and a summary', async () => {
    test.write('ok/lib/words.txt', 'beside\n');
    test.write('ok/read.sh', '#!/bin/sh\ncat lib/words.txt\necho "$1 $MODE"\nprintf partial >&2\n');
    test.write('ok/db/dump.py', '#!/usr/bin/env python3\nimport sys\nprint("dump")\nsys.exit(3)\n');
    test.write('ok/slow.sh', '#!/bin/sh\nsleep 0.6\n');
    test.write('ok/plain.py', 'print("interpreted")\n');
    test.write('ok/forgotten.sh', 'echo no\n');
    test.write('ok/thing_old.sh', '#!/bin/sh\nexit 1\n');
    test.write('ok/node_modules/a.sh', '#!/bin/sh\nexit 1\n');
    test.write('ok/.hidden.sh', '#!/bin/sh\nexit 1\n');
    test.write(
      'ok/lattice-scripts.yaml',
      'name: nightly\nscripts:\n  read.sh: { args: [arg], env: { MODE: full }, needs: db/dump.py }\n  plain.py: { interpreter: python3 }\n',
    );
    const args = ['script', 'ok', '--jobs', '2', '--allow-exit', '0,3', '--skip', '*_old*', '-t', 'tonight', '--json'];
    const { code, out, err } = await test.lattice(...args);
    expect([code, err]).toEqual([0, '']);
    const summary = summaryOf(out);
    expect(summary).toMatchObject({ status: 'completed', totals: { completed: 4, failed: 0 } });
    expect(summary.of('db/dump.py')).toMatchObject({ status: 'completed', exitCode: 3, attempts: 1 });
    const times = summary.slowest.map(({ executionTime }) => executionTime);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(summary.slowest).toHaveLength(4);
    expect(summary.passedOver).toEqual([
      { path: 'forgotten.sh', reason: 'not executable (chmod +x)' },
      { path: 'thing_old.sh', reason: 'skipped by *_old*' },
    ]);
    expect(readFileSync(summary.of('read.sh')?.log ?? '', 'utf8')).toBe('beside\narg full\npartial');
    expect(JSON.parse(readFileSync(join(summary.logs, 'summary.json'), 'utf8'))).toEqual(JSON.parse(out));
    // A run as any other: with its history, tags and logs.
    const run = await test.client.getRun(summary.runId);
    expect(run).toMatchObject({ workflow: 'nightly', tags: ['tonight', 'scripts'] });
    expect((await test.lattice('runs', 'logs', summary.runId, 'plain_py')).out).toBe('interpreted\n');
    expect((await test.client.logs(summary.runId, 'read_sh')).map(({ text }) => text).join('')).toContain('partial');
  });

  it('ends with 1 when a script fails or runs out of its time, and kills all that it started', async () => {
    test.write('bad/fails.sh', '#!/bin/sh\necho "no rows" >&2\nexit 2\n');
    test.write('bad/hangs.sh', '#!/bin/sh\nsleep 30 &\necho $! > pid\nwait\n');
    test.write('bad/fine.sh', '#!/bin/sh\nexit 0\n');
    test.write('bad/again.sh', '#!/bin/sh\necho try >> tries\n[ "$(wc -l < tries)" -gt 1 ]\n');
    test.write('bad/lattice-scripts.yaml', 'scripts:\n  again.sh: { retry: { maxAttempts: 2, initialDelay: 10ms } }\n');
    const { code, out } = await test.lattice('script', 'bad', '--timeout', '500ms', '--logs', 'logs');
    expect(code).toBe(1);
    expect(out).toContain('✖ bad failed');
    expect(out).toMatch(/\(4 scripts: 2 completed, 1 failed, 1 timeout\)/);
    expect(out).toMatch(
      /✖ fails\.sh {2}exited with 2 \(allowed: 0\) \(\d+ ms\)\n {2}last lines of its log:\n {4}no rows/,
    );
    expect(out).toMatch(/✖ hangs\.sh {2}timeout/);
    const summary = summaryOf(readFileSync(join(test.folder, 'logs', 'summary.json'), 'utf8'));
    expect(summary.of('hangs.sh')).toMatchObject({ status: 'timeout', exitCode: null });
    expect(summary.of('again.sh')).toMatchObject({ status: 'completed', attempts: 2 });
    const pid = Number(readFileSync(join(test.folder, 'bad', 'pid'), 'utf8'));
    await eventually('the sleep is gone', async () => (runs(pid) ? undefined : true));
  });

  it('stops the others at the first failure with --fail-fast', async () => {
    test.write('fast/fails.sh', '#!/bin/sh\nsleep 0.2; exit 1\n');
    test.write('fast/long.sh', '#!/bin/sh\nsleep 30\n');
    const { code, out } = await test.lattice('script', 'fast', '--fail-fast', '--json');
    expect(code).toBe(1);
    expect(summaryOf(out).of('long.sh')).toMatchObject({ status: 'cancelled' });
  });

  it('ends the scripts and the run at Ctrl-C, and still writes the summary', async () => {
    test.write('stop/long.sh', "#!/bin/sh\ntrap 'echo told; exit 1' TERM\necho begun\nsleep 30 & wait\n");
    const { child, out, ended } = test.start(['script', 'stop', '--logs', 'stopped']);
    await eventually('the script runs', async () => out().includes('long.sh │ begun') || undefined);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const summary = summaryOf(readFileSync(join(test.folder, 'stopped', 'summary.json'), 'utf8'));
    expect(summary).toMatchObject({ status: 'cancelled', totals: { cancelled: 1 } });
    expect(readFileSync(summary.of('long.sh')?.log ?? '', 'utf8')).toBe('begun\ntold\n');
  });

  it('is ended by a cancel from elsewhere', async () => {
    test.write('far/long.sh', '#!/bin/sh\necho begun\nexec sleep 30\n');
    const { out, ended } = test.start(['script', 'far']);
    const id = await eventually('the script runs', async () =>
      out().includes('long.sh │ begun') ? /run\.created far (\S+)/.exec(out())?.[1] : undefined,
    );
    expect((await test.lattice('runs', 'cancel', id)).code).toBe(0);
    expect((await ended).code).toBe(1);
  });

  it('shows with --dry-run what would be run, and asks no platform', async () => {
    const nobody = { LATTICE_URL: 'http://127.0.0.1:1' };
    const args = ['script', 'ok', '--dry-run', '--filter', 'r*', '--timeout', '9s'];
    const { code, out } = await test.start(args, nobody).ended;
    expect(code).toBe(0);
    expect(out).toMatch(/SCRIPT +TIMEOUT +EXITS +AFTER +ARGUMENTS\nread\.sh +9s +0 +arg\n/);
    expect(out).toContain('not run: slow.sh (not chosen by the filter)\n');
    expect(out).toContain('1 script would be run\n');
    const all = await test.start(['script', 'ok', '-n', '--json'], nobody).ended;
    expect(JSON.parse(all.out)).toMatchObject({
      scripts: [{ path: 'db/dump.py' }, {}, { needs: ['db_dump_py'] }, {}, {}],
    });
    // Its need is not to be found at this depth: that is a fault, not a script that quietly does not wait.
    expect(await test.lattice('script', 'ok', '-n', '--depth', '1')).toMatchObject({ code: 2 });
  });

  it('ends with 2 for what makes no sense, with all faults of the file at once', async () => {
    test.write('wrong/a.sh', '#!/bin/sh\n');
    test.write(
      'wrong/lattice-scripts.yaml',
      'jobs: many\ndefaults: { timeout: soon }\nscripts:\n  a.sh: { allowExit: 300, argss: [] }\n',
    );
    const { code, err } = await test.lattice('script', 'wrong');
    expect(code).toBe(2);
    expect(err).toContain('wrong/lattice-scripts.yaml has 4 faults.');
    expect(err).toContain('wrong/lattice-scripts.yaml:1:1 bad_type /jobs');
    expect(err).toContain('wrong/lattice-scripts.yaml:2:13 bad_duration /defaults/timeout');
    expect(err).toContain('unknown_field /scripts/a.sh/argss');
    test.write('wrong/lattice-scripts.yaml', 'scripts:\n  b.sh: {}\n  a.sh: { needs: [c.sh, "d*"] }\n');
    const missing = await test.lattice('script', 'wrong');
    expect(missing.err).toContain('/scripts/b.sh');
    expect(missing.err).toContain('/scripts/a.sh/needs/0');
    expect(missing.err).not.toContain('/needs/1');
    for (const args of [['nowhere'], ['ok', '--filter', 'none*'], ['ok', '--jobs', '0'], ['ok', '--allow-exit', 'x']]) {
      expect(await test.lattice('script', ...args)).toMatchObject({ code: 2, out: '' });
    }
  });

  it('ends with 3 without a platform, and with 2 for a key that may not be a worker', async () => {
    const gone = await test.start(['script', 'ok'], { LATTICE_URL: 'http://127.0.0.1:1' }).ended;
    expect(gone).toMatchObject({
      code: 3,
      err: expect.stringContaining('no answer from http://127.0.0.1:1') as string,
    });
    const { key } = await test.client.keys.create({ name: 'operator', scope: 'operator' });
    const refused = await test.start(['script', 'ok'], { LATTICE_API_KEY: key }).ended;
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('scope admin') as string });
  });
});
