import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { taskOf, type Run } from '../e2e/support/api';
import { eventually } from '../support/eventually';
import { startPlatform, type Platform } from '../e2e/support/platform';
import { root, runToEnd } from '../e2e/support/programs';
import { openEvents } from '../e2e/support/streams';
import { containersOf, whyNoContainers } from './engine';

const reason = whyNoContainers();
if (reason !== undefined) process.stderr.write(`Skipping the container tests: ${reason}\n`);
const describeHere = reason === undefined ? describe : describe.skip;

let platform: Platform;

describeHere(`containers${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => platform?.stop());

  it('container-pipeline.yaml judges its water levels as an independent computation does', async () => {
    const file = join(root, 'examples', 'container-pipeline.yaml');
    const text = readFileSync(file, 'utf8');
    const command = /^# {3}(npx lattice run .*)$/m.exec(text)?.[1] ?? 'false';
    const { code, stdout, stderr } = await runToEnd('sh', ['-c', `${command} --json`], platform.env);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const { outputs, runId } = z
      .object({ runId: z.string(), outputs: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(stdout));
    expect(outputs).toEqual({ ...judged(text), interfaces: ['lo'] });
    expect(containersOf(runId)).toEqual([]);
  });

  it('runs code of both languages at level docker, and history says so', async () => {
    const task = (language: string, source: string): unknown => ({
      uses: 'code',
      sandbox: 'docker',
      with: { language, source, input: { n: 20 } },
    });
    const runId = await platform.api.submit({
      name: 'levels',
      tasks: {
        node: task('javascript', 'export default async ({ n }) => ({ n: n + 1, pid: process.pid < 50 })'),
        python: task(
          'python',
          'import os\ndef main(input):\n    return {"n": input["n"] + 2, "pid": os.getpid() < 50}',
        ),
      },
    });
    const run = await platform.api.wait(runId);
    expect(taskOf(run, 'node').output).toEqual({ n: 21, pid: true });
    expect(taskOf(run, 'python').output).toEqual({ n: 22, pid: true });
    const events = await openEvents(platform.api, runId);
    await events.ended;
    const started = events.frames.filter(({ type }) => type === 'task.started');
    expect(started.map(({ data }) => data['level'])).toEqual(['docker', 'docker']);
  });

  it('gives a container nothing it was not promised: no user, no capability, no network, no place to write', async () => {
    const run = await runContainer(
      python(`
def can(act):
    try:
        act()
        return True
    except OSError:
        return False

status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)
result = {
    "uid": os.getuid(),
    "capabilities": int(status["CapEff"], 16),
    "noNewPrivileges": int(status["NoNewPrivs"]),
    "seccomp": int(status["Seccomp"]),
    "writesRoot": can(lambda: open("/usr/x", "w")),
    "writesTmp": can(lambda: open("/tmp/x", "w")),
    "connects": can(lambda: socket.create_connection(("1.1.1.1", 53), 1)),
    "environment": sorted(name for name in os.environ if name.startswith("LATTICE_") or name == "GREETING"),
}`),
      { env: { GREETING: 'hello' } },
    );
    expect(taskOf(run, 'only').output).toEqual({
      uid: 65_534,
      capabilities: 0,
      noNewPrivileges: 1,
      seccomp: 2,
      writesRoot: false,
      writesTmp: true,
      connects: false,
      environment: [
        'GREETING',
        'LATTICE_ARTIFACTS',
        'LATTICE_EXECUTION',
        'LATTICE_FILES',
        'LATTICE_INPUT',
        'LATTICE_OUTPUT',
        'LATTICE_OWNER',
      ],
    });
  });

  it('gives secrets to containers and to code at level docker, and shows them nowhere', async () => {
    const value = 'correct-horse-battery';
    const headers = { 'Content-Type': 'application/json' };
    await platform.api.call('/v1/secrets/TOKEN', { method: 'PUT', headers, body: JSON.stringify({ value }) });
    const secret = '${{ secrets.TOKEN }}';
    const source = 'export default () => (console.log(process.env.TOKEN), process.env.TOKEN.length)';
    const code = { uses: 'code', sandbox: 'docker', with: { language: 'javascript', source }, env: { TOKEN: secret } };
    const command = 'echo "$TOKEN $OTHER"; echo "$TOKEN" >&2; exit 3';
    const runId = await platform.api.submit({
      name: 'secrets',
      onFailure: 'continue',
      tasks: {
        code,
        container: {
          uses: 'container',
          with: { image: 'lattice/node', command, env: { TOKEN: secret } },
          env: { OTHER: `x${secret}` },
        },
      },
    });
    const run = await platform.api.wait(runId);
    expect(taskOf(run, 'code').output).toBe(value.length);
    expect(taskOf(run, 'container').error).toMatchObject({ code: 'task_failed' });
    const text = async (path: string): Promise<string> =>
      (await platform.api.call(`/v1/runs/${runId}${path}`, { headers: { Accept: 'text/plain' } })).text;
    expect(await text('/tasks/code/logs')).toBe('***\n');
    expect((await text('/tasks/container/logs')).split('\n').sort()).toEqual(['', '***', '*** x***']);
    for (const path of ['', '/events']) expect(await text(path)).not.toContain(value.slice(0, 12));
  });

  it('fails with the exit code and the last words, and tries again for a code of retryOn', async () => {
    const run = await runContainer(
      {
        image: 'lattice/node',
        command: 'echo "no water today" >&2; exit 3',
      },
      {},
      { retry: { maxAttempts: 2, initialDelay: '1ms', retryOn: [3] } },
    );
    expect(run.status).toBe('failed');
    expect(taskOf(run, 'only')).toMatchObject({ attempts: 2, error: { code: 'task_failed' } });
    expect(taskOf(run, 'only').error?.message).toMatch(/3/);
    const logs = await platform.api.call(`/v1/runs/${run.runId}/tasks/only/logs`, {
      headers: { Accept: 'text/plain' },
    });
    expect(logs.text).toBe('no water today\nno water today\n');
  });

  it('fails for an image that is nowhere, and for more memory than allowed', async () => {
    const nowhere = await runContainer({ image: 'localhost:1/nowhere:never', command: 'true' });
    expect(taskOf(nowhere, 'only').error).toMatchObject({ code: 'image_pull_failed' });
    const greedy = await runContainer(
      python('result = len(bytearray(300_000_000))'),
      {},
      { resources: { memory: '64Mi' } },
    );
    expect(taskOf(greedy, 'only').error).toMatchObject({ code: 'out_of_memory' });
  });

  it('stops at its timeout, and leaves no container', async () => {
    const run = await runContainer(
      { image: 'lattice/node', command: 'echo began; while true; do :; done' },
      {},
      { timeout: '1s' },
    );
    expect(taskOf(run, 'only').error).toMatchObject({ code: 'timeout' });
    expect(containersOf(run.runId)).toEqual([]);
  });

  it('stops when its run is cancelled, and leaves no container', async () => {
    const only = { uses: 'container', with: { image: 'lattice/node', command: 'echo began; while true; do :; done' } };
    const runId = await platform.api.submit({ name: 'endless', tasks: { only } });
    const events = await openEvents(platform.api, runId);
    await events.until('its log', ({ type }) => type === 'task.log');
    expect(containersOf(runId)).toHaveLength(1);
    await platform.api.call(`/v1/runs/${runId}/cancel`, { method: 'POST' });
    await events.ended;
    expect(events.frames.at(-1)?.type).toBe('run.cancelled');
    await eventually('its container is gone', () => containersOf(runId).length === 0);
  });
});

/** A container of Python whose output is `result`. */
function python(body: string): Record<string, unknown> {
  const source = `import json, os, socket\n${body}\njson.dump(result, open(os.environ["LATTICE_OUTPUT"], "w"))`;
  return { image: 'lattice/python', command: ['python3', '-c', source] };
}

async function runContainer(
  program: Record<string, unknown>,
  more: Record<string, unknown> = {},
  options: Record<string, unknown> = {},
): Promise<Run> {
  const only = { uses: 'container', with: { ...program, ...more }, ...options };
  return platform.api.wait(await platform.api.submit({ name: 'container', tasks: { only } }));
}

const documentSchema = z.object({
  inputs: z.object({ levels: z.object({ default: z.string() }), flood: z.object({ default: z.number() }) }),
});

/** The outputs of the example, from the levels in its text. */
function judged(text: string): Record<string, unknown> {
  const { levels, flood } = documentSchema.parse(parse(text)).inputs;
  const [head = '', ...lines] = levels.default.trim().split('\n');
  const months = head.split(',').slice(1);
  const rows = lines.map((line) => {
    const [station = '', ...cells] = line.split(',');
    const readings = cells.flatMap((cell, at) => (cell === '' ? [] : [{ month: months[at] ?? '', cm: Number(cell) }]));
    return { station, readings };
  });
  const stations = rows.map(({ station, readings }) => {
    const rising = [...readings].sort((a, b) => a.cm - b.cm);
    const sum = readings.reduce((total, { cm }) => total + cm, 0);
    return {
      station,
      readings: readings.length,
      mean: expect.closeTo(sum / readings.length, 6) as unknown,
      lowest: rising[0]?.cm,
      highest: rising.at(-1)?.cm,
      peak: rising.at(-1)?.month,
    };
  });
  const floods = rows.flatMap(({ station, readings }) =>
    readings.filter(({ cm }) => cm >= flood.default).map(({ month }) => `${station} ${month}`),
  );
  return { stations, floods };
}
