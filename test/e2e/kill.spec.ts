import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@lattice/embedded';
import { Api, taskOf } from './support/api';
import { javascript, newGate, waitingTask, type Gate } from './support/documents';
import { eventually } from '../support/eventually';
import { newHome } from './support/platform';
import { cleanEnv, endPrograms, start, type Program } from './support/programs';
import { testServices, type TestServices } from './support/services';
import { openEvents, type Frame } from './support/streams';

/** The three apps, each started by its own script from the environment, as on machines of their own. */
const apps = ['api', 'scheduler', 'worker'] as const;
type App = (typeof apps)[number];

const home = newHome();
const running = new Map<App, Program>();
let services: TestServices;
let env: NodeJS.ProcessEnv;
let api: Api;
let gate: Gate;

beforeAll(async () => {
  services = await testServices();
  const port = await freePort();
  env = cleanEnv({ ...services.env, LATTICE_HOME: home, PORT: String(port) });
  for (const app of apps) startApp(app);
  for (const app of apps) await isUp(app);
  api = new Api(`http://127.0.0.1:${port}`, readFileSync(join(home, 'admin.key'), 'utf8').trim());
});
afterAll(async () => {
  await endPrograms();
  await services?.stop();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  gate = newGate();
});
afterEach(() => gate.remove());

function startApp(app: App): void {
  running.set(app, start('npm', ['run', `start:${app}`], env));
}

function programOf(app: App): Program {
  const program = running.get(app);
  if (program === undefined) throw new Error(`${app} was not started`);
  return program;
}

function isUp(app: App): Promise<void> {
  return programOf(app).prints(`the ${app} runs`, 90_000);
}

/** kill -9 of the app and of the npm around it: nobody is left to say goodbye. */
async function kill(app: App): Promise<void> {
  programOf(app).signalGroup('SIGKILL');
  expect((await programOf(app).ended).signal).toBe('SIGKILL');
}

/** Two branches at the gate, and what comes after them. */
function submit(): Promise<string> {
  return api.submit({
    name: 'survivor',
    tasks: {
      first: javascript('export default () => 20'),
      left: { ...waitingTask(gate, 1), needs: ['first'] },
      right: { ...waitingTask(gate, 2), needs: ['first'] },
      join: javascript('export default ({ a, b, c }) => a + b + c', {
        a: '${{ tasks.first.output }}',
        b: '${{ tasks.left.output }}',
        c: '${{ tasks.right.output }}',
      }),
      last: javascript('export default (sum) => sum * 2', '${{ tasks.join.output }}'),
    },
    outputs: { answer: '${{ tasks.last.output - 4 }}' },
  });
}

async function untilBothRun(runId: string): Promise<void> {
  await eventually('both branches run', async () => {
    const run = await api.run(runId);
    return ['left', 'right'].every((key) => taskOf(run, key).status === 'running');
  });
}

async function eventsOf(runId: string): Promise<readonly Frame[]> {
  const stream = await openEvents(api, runId);
  await stream.ended;
  return stream.frames;
}

/** Completed once, with the right answer; each task is recorded once whatever happened. */
async function expectRight(runId: string, limit = '60s'): Promise<void> {
  const run = await api.wait(runId, limit);
  expect(run).toMatchObject({ status: 'completed', outputs: { answer: 42 } });
  const events = await eventsOf(runId);
  const completed = events.filter(({ type }) => type === 'task.completed').map(({ taskKey }) => taskKey ?? '');
  expect(completed.sort()).toEqual(['first', 'join', 'last', 'left', 'right']);
  expect(events.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
}

describe('a run outlives kill -9', () => {
  it('of the scheduler, while its tasks run and are finished', async () => {
    const runId = await submit();
    await untilBothRun(runId);
    await kill('scheduler');
    gate.open();
    // A run submitted while there is no scheduler waits for one.
    const other = await submit();
    startApp('scheduler');
    await isUp('scheduler');
    await expectRight(runId);
    await expectRight(other);
    expect((await api.run(runId)).tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
  });

  it('of the API, while its tasks run and are finished', async () => {
    const runId = await submit();
    await untilBothRun(runId);
    const stream = await openEvents(api, runId);
    await kill('api');
    await expect(stream.ended).rejects.toThrow();
    gate.open();
    startApp('api');
    await isUp('api');
    await expectRight(runId);
    // A reader who comes back with the last id it has gets the rest.
    const rest = await openEvents(api, runId, { lastEventId: stream.frames.at(-1)?.id ?? '' });
    await rest.ended;
    expect([...stream.frames, ...rest.frames]).toEqual(await eventsOf(runId));
    expect((await api.run(runId)).tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
  });

  it('of the worker, whose tasks are tried again by the next one; what was finished is not', async () => {
    const runId = await submit();
    await untilBothRun(runId);
    await kill('worker');
    startApp('worker');
    await isUp('worker');
    gate.open();
    await expectRight(runId);
    const run = await api.run(runId);
    expect(run.tasks.map(({ key, attempts }) => [key, attempts])).toEqual([
      ['first', 1],
      ['left', 2],
      ['right', 2],
      ['join', 1],
      ['last', 1],
    ]);
    const lost = (await eventsOf(runId)).filter(({ type }) => type === 'task.retrying');
    expect(lost.map(({ data }) => data)).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ code: 'worker_lost' }) as unknown }),
      expect.objectContaining({ error: expect.objectContaining({ code: 'worker_lost' }) as unknown }),
    ]);
  });

  it('and on SIGTERM each app ends by itself, with 0', async () => {
    for (const app of ['worker', 'scheduler', 'api'] as const) {
      programOf(app).signalGroup('SIGTERM');
      await programOf(app).ended;
      expect(programOf(app).output()).toContain(`the ${app} stops`);
      expect(programOf(app).output()).not.toMatch(/did not stop|"level":"error"/);
    }
  });
});

describe('start:NAME', () => {
  it('lists every fault of the settings at once, and ends with 2', async () => {
    const wrong = start(
      'npm',
      ['run', 'start:worker'],
      cleanEnv({ LATTICE_HOME: home, LATTICE_SANDBOX: 'jail', PORT: 'x' }),
    );
    const { code } = await wrong.ended;
    for (const name of ['REDIS_URL', 'DATABASE_URL', 'LATTICE_SANDBOX', 'PORT']) expect(wrong.output()).toContain(name);
    expect(code).toBe(2);
  });

  it('says that a worker has nowhere to keep the files of tasks, and ends with 1', async () => {
    const worker = start('npm', ['run', 'start:worker'], { ...env, TMPDIR: '/dev/null/none' });
    const { code } = await worker.ended;
    expect(worker.output()).toMatch(/could not start \(sandbox_failed\): .*\/dev\/null\/none.*set TMPDIR to/);
    expect(code).toBe(1);
  });
});
