import { taskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { TaskFault } from '../outcome';
import { messageOf } from '../thrown';
import type { Workspace } from '../workspace';
import { watchExit, type ExitWatch } from './container-exit';
import { statusOf, type Engine } from './engine';

/** A container that runs, with the files of its task. */
export interface Begun {
  readonly container: Dockerode.Container;
  readonly workspace: Workspace;
  readonly token: string;
  readonly watch: ExitWatch;
  /** Its log; of one that waits for its task also the way to tell it. */
  readonly attached: NodeJS.ReadWriteStream;
}

const REMOVE_MS = 20_000;

/** Creates, attaches to and starts a container. What fails leaves nothing behind but the workspace. Throws TaskFault. */
export async function beginContainer(options: {
  engine: Engine;
  spec: Dockerode.ContainerCreateOptions;
  workspace: Workspace;
  token: string;
}): Promise<Begun> {
  const { engine, spec, workspace, token } = options;
  const container = engine.client.getContainer(spec.name ?? '');
  const stdin = spec.OpenStdin === true;
  let watch: ExitWatch | undefined;
  try {
    await creating(spec.Image ?? '', async () =>
      engine.call('create the container', async (abortSignal) =>
        engine.client.createContainer(inBody(spec, abortSignal)),
      ),
    );
    const attached = await engine.call('attach to the container', async (abortSignal) =>
      container.attach({ stream: true, stdin, hijack: stdin, stdout: true, stderr: true, abortSignal }),
    );
    attached.on('error', () => undefined);
    watch = watchExit(engine, container);
    await starting(async () =>
      engine.call('start the container', async (abortSignal): Promise<unknown> => container.start({ abortSignal })),
    );
    return { container, workspace, token, watch, attached };
  } catch (error) {
    watch?.close();
    await removeContainer(engine, container);
    throw error;
  }
}

/** The client would else put all of it into the URL as well, which is too long for some servers. */
export function inBody(
  spec: Dockerode.ContainerCreateOptions,
  abortSignal: AbortSignal,
): Dockerode.ContainerCreateOptions {
  return Object.assign({ abortSignal }, { _query: { name: spec.name }, _body: spec });
}

/** Also when it was created a moment after the call was given up. What fails here is left to the reaping of the next start. */
export async function removeContainer(engine: Engine, container: Dockerode.Container): Promise<void> {
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
