import { SendAtOnce, submissionOfJson, submitRun, DocumentCache, openRuntime, type Runtime } from '@lattice/engine';
import { awaitsSending } from '@lattice/persistence';
import { forgetEpoch, initialise, readEpoch, readHead } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

const ANYBODY = '00000000-0000-0000-0000-000000000000';
const two = {
  name: 'two',
  tasks: { a: { uses: 'handler/echo', with: { n: 1 } }, b: { uses: 'handler/echo', needs: ['a'] } },
};

type Body = (platform: TestPlatform, runtime: Runtime, sender: SendAtOnce) => Promise<void>;

/** Of what begins with a condition no job is made before that is decided; of others while they are stored. */
const WAYS = ['prepared', 'step by step'] as const;
type Way = (typeof WAYS)[number];
const workflowOf = (way: Way): object =>
  way === 'prepared' ? two : { ...two, tasks: { ...two.tasks, a: { ...two.tasks.a, if: '${{ 1 == 1 }}' } } };

/** A platform without a scheduler, and one who stores runs and sends them at once. */
async function onPlatform(body: Body): Promise<void> {
  const platform = await TestPlatform.open();
  const scheduler = await platform.scheduler();
  const runtime = await openRuntime(platform.engine);
  const sender = new SendAtOnce(runtime);
  try {
    await eventually('Redis is trusted', async () => (await platform.engine.queue.trust.look()) || undefined);
    await scheduler.stop();
    await body(platform, runtime, sender);
  } finally {
    await sender.close();
    await runtime.flows.close();
    await platform.close();
  }
}

async function submit(
  platform: TestPlatform,
  sender: SendAtOnce,
  workflow: object = two,
  fields: object = {},
): Promise<string> {
  const documents = new DocumentCache();
  const submission = submissionOfJson(JSON.stringify({ workflow, ...fields }), documents);
  const { runId } = await submitRun(platform.engine, { submission, documents, apiKeyId: ANYBODY, sender });
  platform.runs.push(runId);
  return runId;
}

/** Resolves when the row of the run is the schedulers' to send. */
async function dueAtOnce(platform: TestPlatform, runId: string): Promise<void> {
  await eventually('the row is due at once', async () => {
    const [row] = await platform.engine.db.query('select not_before <= now() as due from outbox where run_id = $1', [
      runId,
    ]);
    return row?.['due'] === true || undefined;
  });
}

const head = (platform: TestPlatform, runId: string) => readHead(platform.engine.queue, runId);

/** Resolves when the run is there and its row is gone. */
async function inRedis(platform: TestPlatform, runId: string): Promise<void> {
  await eventually('the run is in Redis', () => head(platform, runId));
  await eventually('its row is gone', async () => !(await awaitsSending(platform.engine.db, runId)) || undefined);
}

/** No job of a run that was not to be made may lie in Redis. */
async function noJobOf(platform: TestPlatform, runId: string): Promise<void> {
  const { redis, keys } = platform.engine.queue;
  await eventually('its jobs are gone', async () => {
    const left = await redis.keys(`${keys.prefix.replace(/[{}]/g, '\\$&')}*${runId}*`);
    return left.length === 0 || undefined;
  });
}

describe.each(WAYS)('a run that is sent %s', (way) => {
  test('is in the queue, and its outbox row gone, without a scheduler; the scheduler that comes finds nothing to send', async () => {
    await onPlatform(async (platform, _, sender) => {
      const runId = await submit(platform, sender, workflowOf(way));
      await inRedis(platform, runId);
      await platform.scheduler();
      await platform.worker();
      expect(await platform.wait(runId)).toMatchObject({ status: 'completed' });
      const types = (await platform.events(runId)).map(({ type }) => type);
      expect(types.filter((type) => type === 'run.created' || type === 'run.started')).toEqual([
        'run.created',
        'run.started',
      ]);
      await platform.settled();
    });
  });

  test('one who dies between storing and sending leaves the run to a scheduler', async () => {
    await onPlatform(async (platform, _, sender) => {
      sender.prepare = () => ({ send: () => undefined, drop: () => undefined });
      const runId = await submit(platform, sender, workflowOf(way));
      expect(await head(platform, runId)).toBeUndefined();
      await platform.scheduler();
      await platform.worker();
      expect(await platform.wait(runId)).toMatchObject({ status: 'completed' });
      await platform.settled();
    });
  });

  test('one who dies between sending and the deletion of the row: it is sent once more, which changes nothing', async () => {
    await onPlatform(async (platform, runtime) => {
      const dying = new SendAtOnce({
        ...runtime,
        db: { ...runtime.db, query: () => Promise.reject(new Error('this process is gone')) },
      });
      const runId = await submit(platform, dying, workflowOf(way));
      await eventually('the run is in Redis', () => head(platform, runId));
      expect(await awaitsSending(platform.engine.db, runId)).toBe(true);
      await platform.scheduler();
      await platform.worker();
      expect(await platform.wait(runId)).toMatchObject({
        status: 'completed',
        tasks: [{ attempts: 1 }, { attempts: 1 }],
      });
      await eventually('its row is gone', async () => !(await awaitsSending(platform.engine.db, runId)) || undefined);
      await platform.settled();
    });
  });

  test('a process that was stopped in between for long makes nothing in Redis: the run may have ended by then', async () => {
    await onPlatform(async (platform, _, sender) => {
      // Whatever came into the queue would be taken at once, and dropped.
      await platform.worker();
      const clock = Date.now;
      const prepare = sender.prepare.bind(sender);
      sender.prepare = (run) => {
        const prepared = prepare(run);
        const send = (): void => {
          Date.now = () => clock() - 5_000;
          prepared.send();
          Date.now = clock;
        };
        return { ...prepared, send };
      };
      const runId = await submit(platform, sender, workflowOf(way));
      await dueAtOnce(platform, runId);
      expect(await head(platform, runId)).toBeUndefined();
      await noJobOf(platform, runId);
      await platform.scheduler();
      expect(await platform.wait(runId)).toMatchObject({
        status: 'completed',
        tasks: [{ attempts: 1 }, { attempts: 1 }],
      });
    });
  });

  test('in a Redis that is being recovered nothing is made', async () => {
    await onPlatform(async (platform, _, sender) => {
      await platform.worker();
      const { queue } = platform.engine;
      const epoch = (await readEpoch(queue)) ?? '';
      await forgetEpoch(queue);
      const runId = await submit(platform, sender, workflowOf(way));
      await dueAtOnce(platform, runId);
      expect(await head(platform, runId)).toBeUndefined();
      await noJobOf(platform, runId);
      await initialise(queue, epoch);
      await platform.scheduler();
      expect(await platform.wait(runId)).toMatchObject({
        status: 'completed',
        tasks: [{ attempts: 1 }, { attempts: 1 }],
      });
    });
  });

  test('a run that could not be stored leaves nothing in Redis', async () => {
    await onPlatform(async (platform, _, sender) => {
      const prepare = sender.prepare.bind(sender);
      let runId = '';
      sender.prepare = (run) => {
        runId ||= run.runId;
        return prepare(run);
      };
      const engine = {
        ...platform.engine,
        db: { ...platform.engine.db, query: () => Promise.reject(new Error('no room')) },
      };
      const documents = new DocumentCache();
      const submission = submissionOfJson(JSON.stringify({ workflow: workflowOf(way) }), documents);
      await expect(submitRun(engine, { submission, documents, apiKeyId: ANYBODY, sender })).rejects.toThrow('no room');
      expect(runId).not.toBe('');
      await inRedis(platform, await submit(platform, sender, workflowOf(way)));
      await noJobOf(platform, runId);
    });
  });
});

test('runs with limits, with many tasks or for later are left to the schedulers', async () => {
  await onPlatform(async (platform, _, sender) => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_each, at) => [`t${at}`, { uses: 'handler/echo' }]));
    for (const workflow of [
      { ...two, concurrency: { limit: 1 } },
      { name: 'many', tasks: many },
    ]) {
      const runId = await submit(platform, sender, workflow);
      const [row] = await platform.engine.db.query('select not_before <= now() as due from outbox where run_id = $1', [
        runId,
      ]);
      expect(row).toEqual({ due: true });
    }
  });
});

test('CM-T5, CM-T8: the schedulers are told of a time limit that is over before they look again, and of nothing else', async () => {
  await onPlatform(async (platform, _, sender) => {
    let nudges = 0;
    const stop = await platform.engine.queue.bus.subscribe('nudge', { onMessage: () => (nudges += 1) });
    await submit(platform, sender, { ...two, timeout: '10m' }, { deadline: '10m' });
    await submit(platform, sender, { ...two, timeout: '400ms' });
    await eventually('a nudge for the timeout', () => Promise.resolve(nudges === 1 || undefined));
    await submit(platform, sender, two, { deadline: '400ms' });
    await eventually('a nudge for the deadline', () => Promise.resolve(nudges === 2 || undefined));
    await stop();
    await platform.scheduler();
    await platform.worker();
    await Promise.all(platform.runs.map((runId) => platform.wait(runId)));
    await platform.settled();
  });
});
