import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { startS3, type S3Server } from '../../../test/support/s3';
import { openArtifactStore } from './open-store';
import type { ArtifactStore } from './store';

const folder = mkdtempSync(join(tmpdir(), 'lattice-artifacts-test-'));
let s3: S3Server | undefined;
const stores = new Map<string, ArtifactStore>();

beforeAll(async () => {
  stores.set('folder', openArtifactStore({ kind: 'folder', folder }));
  s3 = await startS3();
  if (s3 === undefined) return;
  const own = { kind: 's3', region: 'us-east-1', prefix: 'some/where', pathStyle: true } as const;
  stores.set('s3', openArtifactStore({ ...own, ...s3 }));
});
afterAll(async () => {
  for (const store of stores.values()) store.close();
  await s3?.stop();
  rmSync(folder, { recursive: true });
});

const put = { mediaType: 'text/plain', limitBytes: 64 * 1024 * 1024 };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['folder', 's3'])('the store %s', (kind) => {
  /** Where there is no S3 server its tests have nothing to say; the start of one is required where it matters. */
  const each = (name: string, check: (store: ArtifactStore) => Promise<void>): void =>
    test(name, async () => {
      const store = stores.get(kind);
      if (store !== undefined) await check(store);
    });

  each('gives back what was put, whole and in part', async (store) => {
    const bytes = randomBytes(300_000);
    expect(await store.put('run/a/1.1/whole', Readable.from([bytes]), put)).toEqual({
      size: 300_000,
      sha256: sha256(bytes),
    });
    expect(await buffer(await store.get('run/a/1.1/whole'))).toEqual(bytes);
    const part = await store.get('run/a/1.1/whole', { range: { start: 100, end: 199 } });
    expect(await buffer(part)).toEqual(bytes.subarray(100, 200));
    await store.put('run/a/1.1/empty', Readable.from([]), put);
    expect(await buffer(await store.get('run/a/1.1/empty'))).toHaveLength(0);
  });

  each('takes what is larger than one request', async (store) => {
    const piece = randomBytes(1024 * 1024);
    const pieces = Array.from({ length: 21 }, () => piece);
    const stored = await store.put('run/a/1.1/large', Readable.from(pieces), put);
    expect(stored).toEqual({ size: 21 * piece.length, sha256: sha256(Buffer.concat(pieces)) });
    const tail = await store.get('run/a/1.1/large', { range: { start: 20 * piece.length, end: stored.size - 1 } });
    expect(sha256(await buffer(tail))).toBe(sha256(piece));
  });

  each('stores nothing above the limit', async (store) => {
    const body = Readable.from(Array.from({ length: 30 }, () => randomBytes(1024 * 1024)));
    const refused = store.put('run/a/1.1/over', body, { ...put, limitBytes: 25 * 1024 * 1024 });
    await expect(refused).rejects.toMatchObject({ code: 'artifacts_too_large' });
    await expect(store.get('run/a/1.1/over')).rejects.toMatchObject({ code: 'artifact_not_found' });
  });

  each('stores nothing of a stream that breaks off, nor of one that is given up', async (store) => {
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve(randomBytes(10));
        throw new Error('the disk is gone');
      })(),
    );
    await expect(store.put('run/a/1.1/broken', broken, put)).rejects.toThrow('the disk is gone');
    const controller = new AbortController();
    const silent = new Readable({ read: () => undefined });
    const given = store.put('run/a/1.1/broken', silent, { ...put, signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    expect(silent.destroyed).toBe(true);
    await expect(store.get('run/a/1.1/broken')).rejects.toMatchObject({ code: 'artifact_not_found' });
  });

  each('removes what is there and passes over what is not', async (store) => {
    await store.put('run/b/1.1/one', Readable.from(['one']), put);
    await store.remove(['run/b/1.1/one', 'run/b/1.1/none']);
    await expect(store.get('run/b/1.1/one')).rejects.toMatchObject({ code: 'artifact_not_found' });
  });

  each('refuses keys that lead elsewhere', async (store) => {
    for (const key of ['', '../x', 'a/../b', '/etc/passwd', 'a//b', 'a/.', 'a\0b', '.parts/x', 'a b'])
      await expect(store.get(key)).rejects.toThrow('not a key');
  });

  each('is known by one name for good', async (store) => {
    expect(await store.identity()).toBe(await store.identity());
    expect(await store.identity()).toMatch(/^(folder|s3):/);
  });
});

test('two processes agree on the name of a folder, and leave nothing half-written in it', async () => {
  const shared = join(folder, 'shared');
  const both = [1, 2].map(() => openArtifactStore({ kind: 'folder', folder: shared }));
  const names = await Promise.all(both.map((store) => store.identity()));
  expect(new Set(names).size).toBe(1);
  await both[0]?.put('run/a/1.1/x', Readable.from(['x']), put);
  await both[1]?.remove(['run/a/1.1/x']);
  expect(readdirSync(shared).sort()).toEqual(['.parts', '.store']);
  expect(readdirSync(join(shared, '.parts'))).toEqual([]);
});

test('a store that does not answer says so, and another try may help', async () => {
  const keys = { id: 'a', secret: 'b' };
  const endpoint = 'http://127.0.0.1:9';
  const store = openArtifactStore({
    kind: 's3',
    endpoint,
    keys,
    bucket: 'b',
    prefix: '',
    region: 'r',
    pathStyle: true,
  });
  await expect(store.put('a', Readable.from(['x']), put)).rejects.toMatchObject({ code: 'artifacts_unavailable' });
  store.close();
  const blocked = join(folder, 'blocked');
  writeFileSync(blocked, 'a file, not a folder');
  const local = openArtifactStore({ kind: 'folder', folder: join(blocked, 'inside') });
  await expect(local.put('a', Readable.from(['x']), put)).rejects.toMatchObject({ code: 'artifacts_unavailable' });
});

test('a folder may be reached over a link', async () => {
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  const store = openArtifactStore({ kind: 'folder', folder: join(folder, 'link') });
  await store.put('a/b', Readable.from(['x']), put);
  expect(await buffer(await store.get('a/b'))).toEqual(Buffer.from('x'));
});

test('what can not be tidied up in a folder fails no put, and is tried again with the next', async () => {
  const root = join(folder, 'untidy');
  const [odd, left] = [join(root, '.parts', 'odd'), join(root, '.parts', 'left')];
  mkdirSync(odd, { recursive: true });
  writeFileSync(left, 'half');
  for (const old of [odd, left]) utimesSync(old, 0, 0);
  const store = openArtifactStore({ kind: 'folder', folder: root });
  await store.put('run/a/1.1/one', Readable.from(['1']), put);
  rmdirSync(odd);
  await store.put('run/a/1.1/two', Readable.from(['2']), put);
  expect(readdirSync(join(root, '.parts'))).toEqual([]);
  expect(await buffer(await store.get('run/a/1.1/one'))).toEqual(Buffer.from('1'));
});
