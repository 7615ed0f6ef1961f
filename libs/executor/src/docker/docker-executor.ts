import { Readable } from 'node:stream';
import { taskError, type TaskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { giveFilesOf, withArtifacts } from '../artifacts/keep';
import { RunningHandle, SettledHandle, within } from '../handle';
import { logOf, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown, signalOfCode, type Exit } from '../outcome';
import { nextToken, type Owner } from '../owner';
import type { Execution, Executor, Handle, Mountable, Outcome } from '../port';
import { boundsOf, watchOutput } from '../output-watch';
import { scriptOf } from '../script/script-words';
import { armTimeout, createStop, graceOf, outcomeOfStop, type Stop, type StopCause } from '../stop';
import { shapeOf, type ScriptStart } from '../subprocess/launcher';
import type { Budget } from '../warm/budget';
import { Pool } from '../warm/pool';
import { bytesOf, isWarmable, MOST_OF_A_SHAPE, orderOf, wasBegun } from '../warm/warmable';
import { makeOutputFiles, openWorkspace, type Workspace } from '../workspace';
import { beginContainer, removeContainer, type Begun } from './container';
import type { ExitWatch } from './container-exit';
import { pumpContainerLog } from './container-log';
import { containerSpec, imageOf, taskVariables, type CodeImages } from './container-spec';
import { connectEngine, type Engine } from './engine';
import { createImages, type ImageInfo, type Images } from './images';
import { mountsOf } from './mounts';
import { createRunners, type Runners } from './runners';
import { watchMemory } from './watch-memory';

export interface DockerOptions {
  owner: Owner;
  /** Must be the same folder for the worker and for the engine, which mounts from it. */
  workRoot: string;
  /** Default: DOCKER_HOST, else the engine's usual socket. */
  socketPath?: string;
  codeImages: CodeImages;
  /** Milliseconds. */
  pullTimeoutMs: number;
  /** Logins of registries, a configuration of Docker: JSON, or the path of a file. */
  credentials?: string | undefined;
  /** Folders of which containers may be given something. */
  mountable: readonly Mountable[];
  /** Removes a folder with files of other users. */
  removeForeign: (folder: string) => Promise<void>;
  /** Memory for containers that were started ahead of code tasks; 0: none are. */
  warm: Budget;
}

interface Machinery {
  options: DockerOptions;
  engine: Engine;
  images: Images;
  runners: Runners;
  pool: Pool<Begun>;
}

interface Job {
  machinery: Machinery;
  execution: Execution;
  token: string;
  stop: Stop;
  log: LogPipe;
  script?: ScriptStart | undefined;
}

/** After SIGKILL; an engine that takes longer is left to finish by itself. */
const KILLED_MS = 1_500;
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/** Level `docker`: containers, scripts in an image, and code in a container that has its interpreter. Hardened: see the README. */
export function createDockerExecutor(options: DockerOptions): Executor {
  const engine = connectEngine(options.socketPath);
  const machinery: Machinery = {
    options,
    engine,
    images: createImages(engine, options),
    runners: createRunners(options.workRoot, options.owner),
    pool: new Pool<Begun>({
      budget: options.warm,
      bytesOf,
      mostOfAKey: MOST_OF_A_SHAPE,
      discard: async (begun) => discard(machinery, begun),
    }),
  };
  const running = new Set<Handle>();

  return {
    level: 'docker',
    submit(execution) {
      if (execution.uses !== 'code' && execution.uses !== 'container' && execution.uses !== 'script') {
        const message = `level docker runs code, containers and scripts, not ${execution.uses}`;
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
      const ends = [...running].map(async (handle) => handle.cancel('the executor is closing'));
      await Promise.all([machinery.pool.close(), ...ends]);
      await machinery.runners.remove();
    },
  };
}

async function run(given: Job): Promise<Outcome> {
  const { machinery, execution, stop, log } = given;
  const image = imageOf(execution, machinery.options.codeImages);
  const job = { ...given, script: await scriptOf(execution) };
  const leave = new AbortController();
  const ready = machinery.images.ensure(image, {
    signal: leave.signal,
    say: (line) => void log.write('stderr', Buffer.from(`[lattice] ${line}\n`)),
    tell: ({ percent, text }) => execution.onProgress?.(percent, text),
  });
  ready.catch(() => undefined);
  const first = await Promise.race([ready, stop.requested]);
  if ('kind' in first) {
    leave.abort();
    return outcomeOfStop(first);
  }
  const begun = takeWarm(job, image, first);
  return (begun === undefined ? undefined : await runWarm(job, begun)) ?? (await runCold(job, image, first));
}

async function runCold(job: Job, image: string, info: ImageInfo): Promise<Outcome> {
  const begun = await beginCold(job, image, info);
  try {
    return await follow(job, begun);
  } finally {
    await discard(job.machinery, begun);
  }
}

/** Undefined when the container had ended before it took the task. */
async function runWarm(job: Job, begun: Begun): Promise<Outcome | undefined> {
  const { execution } = job;
  try {
    await giveFilesOf(job, begun.workspace);
    begun.workspace.give(execution);
    begun.attached.end(orderOf(taskVariables(execution, begun.workspace, begun.token)));
    const outcome = await follow(job, begun);
    const taken = job.stop.cause !== undefined || outcome.status !== 'failed' || wasBegun(begun.workspace);
    return taken ? outcome : undefined;
  } finally {
    await discard(job.machinery, begun);
  }
}

async function beginCold(job: Job, image: string, info: ImageInfo): Promise<Begun> {
  const { machinery, execution, token, script } = job;
  const { engine, options, runners } = machinery;
  const mounts = await mountsOf(execution, options.mountable);
  const workspace = workspaceOf(options.workRoot, token, execution);
  try {
    await giveFilesOf(job, workspace);
    workspace.give(execution);
    const spec = containerSpec({ execution, workspace, token, image, info, runners, ahead: false, script, mounts });
    return await beginContainer({ engine, spec, workspace, token });
  } catch (error) {
    await workspace.remove();
    throw error;
  }
}

/** A container that waits for a task such as this one; undefined when there is none. */
function takeWarm({ machinery, execution }: Job, image: string, info: ImageInfo): Begun | undefined {
  if (execution.uses !== 'code' || !isWarmable(execution)) return undefined;
  const { code, limits } = execution;
  const key = JSON.stringify({ ...shapeOf(execution), cpu: limits.cpu, image: info.id });
  // Nothing of this task is in what is started for a later one.
  const blank = { ...execution, id: 'ahead', input: null, env: {}, code: { ...code, source: '' } };
  return machinery.pool.take(key, () => beginAhead(machinery, blank, { image, info }));
}

async function beginAhead(
  machinery: Machinery,
  execution: Execution,
  { image, info }: { image: string; info: ImageInfo },
): Promise<Begun> {
  const { engine, options, pool, runners } = machinery;
  const token = nextToken(options.owner);
  const workspace = workspaceOf(options.workRoot, token, execution);
  try {
    const spec = containerSpec({ execution, workspace, token, image, info, runners, ahead: true });
    const begun = await beginContainer({ engine, spec, workspace, token });
    const lost = (): void => pool.lost(begun);
    begun.watch.exited.then(lost, lost);
    return begun;
  } catch (error) {
    await workspace.remove();
    throw error;
  }
}

async function discard({ engine, options }: Machinery, begun: Begun): Promise<void> {
  const { container, watch, attached, workspace } = begun;
  watch.close();
  if (attached instanceof Readable) attached.destroy();
  await removeContainer(engine, container);
  if (!(await workspace.remove())) await options.removeForeign(workspace.folder);
}

function workspaceOf(root: string, token: string, execution: Execution): Workspace {
  const language = execution.uses === 'code' ? execution.code.language : undefined;
  const workspace = openWorkspace({ root, token, language, audience: 'container' });
  if (execution.uses === 'code') makeOutputFiles(workspace);
  return workspace;
}

async function follow(job: Job, { container, workspace, watch, attached }: Begun): Promise<Outcome> {
  const { execution, stop, log } = job;
  const { engine } = job.machinery;
  const { limits } = execution;
  const logged = pumpContainerLog(attached, log);
  void logged.then(() => watch.check());
  watch.started();
  const exceeded = (error: TaskError): void => stop.request({ kind: 'failed', error, atOnce: true });
  const memory = watchMemory({ engine, container, limitBytes: limits.memoryBytes, onStarved: exceeded });
  const disarm = armTimeout(stop, limits, memory.starving);
  const unwatch = watchOutput(boundsOf(execution, workspace), exceeded);
  try {
    await Promise.race([watch.exited, stop.requested]);
    const { cause } = stop;
    if (cause !== undefined) await endContainer({ engine, container, watch, cause, graceMs: graceOf(cause, limits) });
    disarm();
    memory.close();
    await within(
      logged.then(async () => log.end()),
      cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS,
    );
    if (cause !== undefined) return outcomeOfStop(cause);
    const outcome = await outcomeOfExit(await exitOf(engine, container, log), execution, workspace);
    return await withArtifacts(outcome, { execution, workspace, stop });
  } finally {
    disarm();
    unwatch();
    memory.close();
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
