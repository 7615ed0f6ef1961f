import { taskError } from '@lattice/contracts';
import { TaskFault } from '../outcome';
import { messageOf } from '../thrown';
import { statusOf, type Engine } from './engine';

export interface ImageInfo {
  /** A name may come to mean another image; this does not. */
  id: string;
  /** The user that the image itself names; undefined when that is root. */
  user: string | undefined;
}

export interface Images {
  /** Makes sure that the image is there, pulling it if needed. `say` hears of a pull. Throws TaskFault. */
  ensure(image: string, say: (line: string) => void): Promise<ImageInfo>;
}

/** The name becomes part of the path of a request. */
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/;
/** The engine answers some of these with status 500. */
const FINAL_WORDS = /manifest unknown|name unknown|not found|access denied|unauthorized|no matching manifest/i;

export function createImages(engine: Engine, pullTimeoutMs: number): Images {
  // Tasks of one image that start together wait for one pull.
  const pulls = new Map<string, Promise<void>>();

  async function inspect(image: string): Promise<ImageInfo | undefined> {
    try {
      const info = await engine.call('inspect the image', async () => engine.client.getImage(image).inspect());
      return { id: info.Id, user: ownUser(info.Config?.User ?? '') };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async function pullOnce(image: string): Promise<void> {
    let pull = pulls.get(image);
    if (pull === undefined) {
      pull = pullImage(engine, image, pullTimeoutMs).finally(() => pulls.delete(image));
      pulls.set(image, pull);
    }
    await pull;
  }

  return {
    async ensure(image, say) {
      if (!IMAGE_NAME.test(image) || image.includes('..'))
        throw notFound(image, 'that is not the name of an image', false);
      const present = await inspect(image);
      if (present !== undefined) return present;
      const start = performance.now();
      say(`pulling image ${image}`);
      await pullOnce(image);
      const pulled = await inspect(image);
      if (pulled === undefined) throw notFound(image, 'it was pulled, but is not there', false);
      say(`pulled image ${image} in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
      return pulled;
    },
  };
}

async function pullImage(engine: Engine, image: string, limitMs: number): Promise<void> {
  try {
    await engine.call(
      `pull ${image}`,
      async (abortSignal) => {
        const progress = await engine.client.pull(image, { abortSignal });
        await new Promise<void>((resolve, reject) => {
          engine.client.modem.followProgress(progress, (error: Error | null) => (error ? reject(error) : resolve()));
        });
      },
      limitMs,
    );
  } catch (error) {
    if (error instanceof TaskFault && error.error.code === 'docker_unavailable') throw error;
    const status = statusOf(error);
    // The registry knows no such image, or not for us. Else it could not be asked, or not to the end.
    const final = (status !== undefined && status < 500) || FINAL_WORDS.test(messageOf(error));
    throw notFound(image, messageOf(error), !final);
  }
}

function notFound(image: string, reason: string, retryable: boolean): TaskFault {
  const message =
    `the image ${image} is not on this worker and could not be pulled (${reason}); check its name, ` +
    'pull it by hand if the registry wants a login, or import it with `docker load` or `docker import`';
  return new TaskFault(taskError('image_not_found', message, { retryable, details: { image } }));
}

function ownUser(user: string): string | undefined {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name) ? undefined : user;
}
