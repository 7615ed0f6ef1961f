import { statusOf, type Engine } from './engine';
import { imageNotFound, pullImage } from './pull';
import type { PullProgress } from './pull-progress';
import { SharedPulls } from './shared-pulls';

export interface ImageInfo {
  /** A name may come to mean another image; this does not. */
  id: string;
  /** The user that the image itself names; undefined when that is root. */
  user: string | undefined;
}

/** A task that needs an image. */
export interface ImageWaiter {
  readonly signal: AbortSignal;
  /** Hears of a pull: a line for the log. */
  say(line: string): void;
  /** How far the pull has come, some times a second at most. */
  tell(progress: PullProgress): void;
}

export interface Images {
  /** Makes sure that the image is there, pulling it if needed, until the signal aborts. Throws TaskFault. */
  ensure(image: string, waiter: ImageWaiter): Promise<ImageInfo>;
}

/** The name becomes part of the path of a request. */
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/;

export function createImages(
  engine: Engine,
  { pullTimeoutMs: limitMs, credentials }: { pullTimeoutMs: number; credentials?: string | undefined },
): Images {
  const pulls = new SharedPulls((image, on) => pullImage({ engine, image, limitMs, credentials, ...on }));

  async function inspect(image: string): Promise<ImageInfo | undefined> {
    try {
      const info = await engine.call('inspect the image', async () => engine.client.getImage(image).inspect());
      return { id: info.Id, user: ownUser(info.Config?.User ?? '') };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  return {
    async ensure(image, waiter) {
      if (!IMAGE_NAME.test(image) || image.includes('..'))
        throw imageNotFound(image, 'that is not the name of an image');
      const present = await inspect(image);
      if (present !== undefined) return present;
      const start = performance.now();
      waiter.say(`pulling image ${image}`);
      await pulls.wait(image, waiter);
      const pulled = await inspect(image);
      if (pulled === undefined) throw imageNotFound(image, 'it was pulled, but is not there');
      waiter.say(`pulled image ${image} in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
      return pulled;
    },
  };
}

function ownUser(user: string): string | undefined {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name) ? undefined : user;
}
