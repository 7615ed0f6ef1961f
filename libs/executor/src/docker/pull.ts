import { StringDecoder } from 'node:string_decoder';
import { taskError } from '@lattice/contracts';
import { TaskFault } from '../outcome';
import { messageOf } from '../thrown';
import { statusOf, type Engine } from './engine';
import { PullTally, readPullLine, type PullProgress } from './pull-progress';
import { loginFor, registryOf } from './registry-login';

/** Progress is told at most this often. */
const TELL_MS = 500;

/** What registries say, in the words of the engine, which answers with status 500 to some of it. */
const DENIED = /unauthorized|authentication required|no basic auth|access denied|denied:|forbidden|incorrect username/i;
const UNKNOWN = /manifest unknown|name unknown|not found|no matching manifest|invalid reference|unsupported/i;

/** One pull. Throws TaskFault; an abort of the signal ends it, at the engine too. */
export async function pullImage(options: {
  engine: Engine;
  image: string;
  limitMs: number;
  /** A configuration of Docker: see `loginFor`. */
  credentials: string | undefined;
  signal: AbortSignal;
  tell: (progress: PullProgress) => void;
}): Promise<void> {
  const { engine, image, limitMs, signal, tell } = options;
  const registry = registryOf(image);
  const login = await loginFor(registry, options.credentials);
  try {
    await engine.call(
      `pull ${image}`,
      async (late) => {
        const abortSignal = AbortSignal.any([late, signal]);
        const auth = login === undefined ? {} : { authconfig: login };
        const stream = await engine.client.pull(image, { ...auth, abortSignal });
        await follow(stream, tell);
      },
      limitMs,
    );
  } catch (error) {
    if (error instanceof TaskFault && error.error.code === 'docker_unavailable') throw error;
    throw faultOf({ image, registry, error, hasLogin: login !== undefined });
  }
}

/** Reads what the engine says until the end; throws what it says of an error. */
async function follow(stream: NodeJS.ReadableStream, tell: (progress: PullProgress) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  const tally = new PullTally();
  let rest = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = lines.pop() ?? '';
    let isNews = false;
    for (const text of lines) {
      const line = readPullLine(text);
      if (line?.error !== undefined) throw new Error(line.errorDetail?.message ?? line.error);
      isNews = (line !== undefined && tally.add(line)) || isNews;
    }
    if (!isNews || performance.now() - toldAt < TELL_MS) continue;
    toldAt = performance.now();
    tell(tally.progress);
  }
}

function faultOf(failed: { image: string; registry: string; error: unknown; hasLogin: boolean }): TaskFault {
  const { image, registry, error, hasLogin } = failed;
  const reason = messageOf(error);
  const status = statusOf(error);
  if (DENIED.test(reason) || status === 401 || status === 403) {
    const who = hasLogin
      ? `refused the credentials that this worker has for it`
      : `wants credentials, or has no such image; this worker has none for it (LATTICE_REGISTRY_AUTH)`;
    const message = `the registry ${registry} ${who}: image ${image} could not be pulled (${reason})`;
    return new TaskFault(taskError('registry_denied', message, { details: { image, registry } }));
  }
  if (UNKNOWN.test(reason) || (status !== undefined && status < 500)) return imageNotFound(image, reason);
  const message = `the image ${image} could not be pulled from ${registry} (${reason}); try again, or import it with \`docker load\` or \`docker import\``;
  return new TaskFault(taskError('image_pull_failed', message, { details: { image, registry } }));
}

export function imageNotFound(image: string, reason: string): TaskFault {
  const message =
    `the image ${image} is not on this worker and could not be pulled (${reason}); check its name, ` +
    'or import it with `docker load` or `docker import`';
  return new TaskFault(taskError('image_not_found', message, { details: { image } }));
}
