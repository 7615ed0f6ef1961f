import { isAbandoned, parseStamp, type Owner } from '../owner';
import { OWNER_LABEL } from './container-spec';
import { connectEngine } from './engine';

const LIST_MS = 10_000;

/** Removes the containers of workers that are gone; returns how many. Without an engine there are none: 0. */
export async function reapContainers(self: Owner, socketPath?: string): Promise<number> {
  const engine = connectEngine(socketPath);
  const list = await engine
    .call(
      'list containers',
      async (abortSignal) =>
        engine.client.listContainers({ all: true, filters: { label: [OWNER_LABEL] }, abortSignal }),
      LIST_MS,
    )
    .catch(() => []);
  const left = list.filter((info) => {
    const owner = parseStamp(info.Labels[OWNER_LABEL] ?? '');
    return owner !== undefined && isAbandoned(owner, self);
  });
  const removed = await Promise.all(
    left.map(async (info) =>
      engine
        .call('remove a container', async (abortSignal): Promise<unknown> =>
          engine.client.getContainer(info.Id).remove({ force: true, v: true, abortSignal }),
        )
        .then(() => 1)
        // Another worker of this host reaps at the same time.
        .catch(() => 0),
    ),
  );
  return removed.reduce<number>((sum, one) => sum + one, 0);
}
