import { Readable } from 'node:stream';
import { taskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { RunningHandle, SettledHandle, within } from '../handle';
import { logOf, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown, signalOfCode, TaskFault, type Exit } from '../outcome';
import { nextToken, type Owner } from '../owner';
import type { Execution, Executor, Handle, Outcome } from '../port';
import { watchOutput } from '../output-watch';
import { armTimeout, createStop, graceOf, outcomeOfStop, type Stop, type StopCause } from '../stop';
import { messageOf } from '../thrown';
import { makeOutputFiles, openWorkspace, type Workspace } from '../workspace';
import { watchExit, type ExitWatch } from './container-exit';
import { pumpContainerLog } from './container-log';
import { containerSpec, imageOf, type CodeImages } from './container-spec';
import { connectEngine, statusOf, type Engine } from './engine';
import { createImages, type ImageInfo, type Images } from './images';

export interface DockerOptions {
  owner: Owner;
  /** Must be the same folder for the worker and for the engine, which mounts from it. */
  workRoot: string;
  /** Default: DOCKER_HOST, else the engine's usual socket. */
  socketPath?: string;
  codeImages: CodeImages;
  /** Milliseconds. */
  pullTimeoutMs: number;
}

interface Machinery {
  options: DockerOptions;
  engine: Engine;
  images: Images;
}

interface Job {
  machinery: Machinery;
  execution: Execution;
  token: string;
  stop: Stop;
  log: LogPipe;
}

/** After SIGKILL; an engine that takes longer is left to finish by itself. */
const KILLED_MS = 1_500;
const REMOVE_MS = 20_000;
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/** Level `docker`: containers, and code in a container that has its interpreter. Hardened: see the README. */
export function createDockerExecutor(options: DockerOptions): Executor {
  const engine = connectEngine(options.socketPath);
  const machinery: Machinery = { options, engine, images: createImages(engine, options.pullTimeoutMs) };
  const running = new Set<Handle>();

  return {
    level: 'docker',
    submit(execution) {
      if (execution.uses !== 'code' && execution.uses !== 'container') {
        const message = `level docker runs code and containers, not ${execution.uses}`;
        return new SettledHandle({ status: 'failed', error: taskError('sandbox_failed', message) });
      }
      const stop = createStop();
      const log = logOf(execution);
      const token = nextToken(options.owner);
      const result = run({ machinery, execution, token, stop, log }).catch(outcomeOfThrown);
      const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
    },
  };
}

async function run(job: Job): Promise<Outcome> {
  const { machinery, execution, token, stop, log } = job;
  const image = imageOf(execution, machinery.options.codeImages);
  const ready = machinery.images.ensure(image, (line) => void log.write('stderr', Buffer.from(`[lattice] ${line}\n`)));
  ready.catch(() => undefined);
  const first = await Promise.race([ready, stop.requested]);
  if ('kind' in first) return outcomeOfStop(first);
  const language = execution.uses === 'code' ? execution.code.language : undefined;
  const workspace = openWorkspace({ root: machinery.options.workRoot, token, language, audience: 'container' });
  try {
    if (execution.uses === 'code') makeOutputFiles(workspace);
    workspace.give(execution);
    return await runContainer(job, workspace, { image, info: first });
  } finally {
    await workspace.remove();
  }
}

async function runContainer(
  job: Job,
  workspace: Workspace,
  { image, info }: { image: string; info: ImageInfo },
): Promise<Outcome> {
  const { engine } = job.machinery;
  const spec = containerSpec({ execution: job.execution, workspace, token: job.token, image, info });
  const container = engine.client.getContainer(spec.name ?? '');
  try {
    await creating(image, async () =>
      engine.call('create the container', async (abortSignal) =>
        engine.client.createContainer({ ...spec, abortSignal }),
      ),
    );
    return await followContainer(job, workspace, container);
  } finally {
    await removeContainer(engine, container);
  }
}

async function followContainer(job: Job, workspace: Workspace, container: Dockerode.Container): Promise<Outcome> {
  const { execution, stop, log } = job;
  const { engine } = job.machinery;
  const attached = await engine.call('attach to the container', async (abortSignal) =>
    container.attach({ stream: true, stdout: true, stderr: true, abortSignal }),
  );
  const watch = watchExit(engine, container);
  let disarm = (): void => undefined;
  let unwatch = disarm;
  try {
    const logged = pumpContainerLog(attached, log);
    void logged.then(() => watch.check());
    await starting(async () =>
      engine.call('start the container', async (abortSignal): Promise<unknown> => container.start({ abortSignal })),
    );
    watch.started();
    disarm = armTimeout(stop, execution.limits);
    unwatch = watchOutput(workspace.outputFolder, execution.limits, (error) =>
      stop.request({ kind: 'failed', error, atOnce: true }),
    );
    await Promise.race([watch.exited, stop.requested]);
    const { cause } = stop;
    if (cause !== undefined)
      await endContainer({ engine, container, watch, cause, graceMs: graceOf(cause, execution.limits) });
    disarm();
    await within(
      logged.then(async () => log.end()),
      cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS,
    );
    if (cause !== undefined) return outcomeOfStop(cause);
    return await outcomeOfExit(await exitOf(engine, container, log), execution, workspace);
  } finally {
    disarm();
    unwatch();
    watch.close();
    if (attached instanceof Readable) attached.destroy();
  }
}

/** SIGTERM, the grace, SIGKILL: to process 1, with which the engine ends all others. */
async function endContainer(options: {
  engine: Engine;
  container: Dockerode.Container;
  watch: ExitWatch;
  cause: StopCause;
  graceMs: number;
}): Promise<void> {
  const { engine, container, watch, graceMs } = options;
  const send = async (signal: string): Promise<void> => {
    // An error means that it has ended, or that the engine is lost; the removal, by force, is still to come.
    await engine
      .call(
        'signal the container',
        async (abortSignal): Promise<unknown> => container.kill({ signal, abortSignal }),
        KILLED_MS,
      )
      .catch(() => undefined);
  };
  const exited = watch.exited.catch(() => undefined);
  if (graceMs > 0) await send('SIGTERM');
  if (graceMs > 0 && (await within(exited, graceMs))) return;
  await send('SIGKILL');
  await within(exited, KILLED_MS);
}

async function exitOf(engine: Engine, container: Dockerode.Container, log: LogPipe): Promise<Exit> {
  const { State } = await engine.call('inspect the container', async (abortSignal) =>
    container.inspect({ abortSignal }),
  );
  const signal = signalOfCode(State.ExitCode);
  return { code: State.ExitCode, signal, oomKilled: State.OOMKilled, stderrTail: log.stderrTail() };
}

/** Also when it was created a moment after the call was given up. What fails here is left to the reaping of the next start. */
async function removeContainer(engine: Engine, container: Dockerode.Container): Promise<void> {
  await engine
    .call(
      'remove the container',
      async (abortSignal): Promise<unknown> => container.remove({ force: true, v: true, abortSignal }),
      REMOVE_MS,
    )
    .catch(() => undefined);
}

async function creating<T>(image: string, create: () => Promise<T>): Promise<T> {
  return create().catch((error: unknown) => {
    if (statusOf(error) !== 404) throw refused('create', error);
    throw new TaskFault(
      taskError('image_not_found', `the image ${image} is gone: ${messageOf(error)}`, { retryable: true }),
    );
  });
}

async function starting<T>(start: () => Promise<T>): Promise<T> {
  return start().catch((error: unknown) => {
    throw refused('start', error);
  });
}

/** What the engine says no to: a command that is not in the image is the task's fault, all else the sandbox's. */
function refused(what: string, error: unknown): unknown {
  if (error instanceof TaskFault || statusOf(error) === undefined) return error;
  const reason = messageOf(error);
  if (/could not select device driver/i.test(reason)) return new TaskFault(taskError('gpu_unavailable', reason));
  const command = /executable file not found|no such file or directory|permission denied/i.test(reason);
  const ours = !command || reason.includes('docker-init');
  const message = `the Docker engine could not ${what} the container: ${reason}`;
  return new TaskFault(taskError(ours ? 'sandbox_failed' : 'task_failed', message, { retryable: false }));
}
