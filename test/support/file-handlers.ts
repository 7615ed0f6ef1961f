import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Handler } from '@lattice/executor';
import { z } from 'zod';

const bytes = (size: number): Readable => Readable.from([Buffer.alloc(size, 'x')]);

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    await delay(5);
    yield 'more';
  }
}

/** A stream that breaks before its first byte. */
async function* broken(): AsyncGenerator<string> {
  await delay(1);
  throw new TypeError('the source broke');
}

const readInput = z.object({ of: z.union([z.string(), z.object({ id: z.string() })]) });

/** Handlers that save and read files, each in a way of its own. */
export const FILE_HANDLERS: readonly [string, Handler][] = [
  [
    'files.save',
    async (_input, { artifacts }) => {
      const note = await artifacts.save('notes/a.txt', 'h\u00e9');
      await artifacts.save('b.bin', bytes(100_000));
      await artifacts.save('empty', new Uint8Array());
      return note;
    },
  ],
  ['files.read', async (input, { artifacts }) => text(await artifacts.read(readInput.parse(input).of))],
  // Answers before its files are there, and without a promise.
  [
    'files.hasty',
    (_input, { artifacts: { save } }) => {
      void save('one', bytes(10)).then(() => save('two', 'later'));
      return 'done';
    },
  ],
  [
    'files.throws',
    (_input, { artifacts, attempt }) => {
      void artifacts.save(`of-${attempt}`, endlessUntil(attempt));
      if (attempt === 1) throw new Error('not yet');
      return attempt;
    },
  ],
  ['files.twice', async (_input, { artifacts: { save } }) => [await save('a', '1'), await save('a', '2')]],
  ['files.below', async (_input, { artifacts: { save } }) => [await save('a', '1'), await save('a/b', '2')]],
  ['files.outside', async (_input, { artifacts }) => artifacts.save('../up', 'x')],
  [
    'files.large',
    async (_input, { artifacts }) => Promise.all(['a', 'b'].map((name) => artifacts.save(name, bytes(600_000)))),
  ],
  [
    'files.many',
    async (_input, { artifacts }) => Promise.all(['a', 'b', 'c', 'd'].map((name) => artifacts.save(name, ''))),
  ],
  ['files.broken', (_input, { artifacts }) => void artifacts.save('a', broken())],
  ['files.caught', async (_input, { artifacts }) => artifacts.save('a', broken()).catch(() => 'caught')],
  ['files.endless', async (_input, { artifacts }) => artifacts.save('a', endless())],
  ['files.batch', async (inputs, { artifacts }) => [await artifacts.save('a', JSON.stringify(inputs))]],
];

function endlessUntil(attempt: number): AsyncIterable<string> | string {
  return attempt === 1 ? endless() : 'whole';
}
