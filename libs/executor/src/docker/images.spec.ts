import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dockerAnswers } from '../../test/support';
import { TaskFault } from '../outcome';
import { connectEngine } from './engine';
import { createImages, type ImageWaiter } from './images';

const digestOf = (bytes: Buffer) =>
  `sha256:${createHash('sha256').update(bytes.toString('latin1'), 'latin1').digest('hex')}`;
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const waiter = (say: (line: string) => unknown = () => undefined): ImageWaiter => ({
  signal: new AbortController().signal,
  say,
  tell: () => undefined,
});
const withDocker = dockerAnswers() ? describe : describe.skip;

/** A registry with one image of one layer; `stuck` images have a layer that never comes. */
withDocker('pulling from a registry', () => {
  const layer = execFileSync('tar', ['-c', '-C', '/etc', 'hostname']);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { User: '1000' },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: config.length,
      digest: digestOf(config),
    },
    layers: [
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', size: layer.length, digest: digestOf(layer) },
    ],
  });
  const engine = connectEngine();
  const asked: string[] = [];
  let registry: Server;
  let address: string;

  beforeAll(async () => {
    registry = createServer((request, response) => {
      const url = request.url ?? '';
      asked.push(url);
      if (url === '/v2/') return void response.end('{}');
      if (url.includes('/missing/')) {
        const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
        return void response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
      }
      if (url.includes('/manifests/')) {
        const digest = digestOf(Buffer.from(manifest));
        const headers = {
          'content-type': MANIFEST,
          'content-length': manifest.length,
          'docker-content-digest': digest,
        };
        return void response.writeHead(200, headers).end(manifest);
      }
      if (url.endsWith(digestOf(config))) return void response.end(config);
      if (!url.includes('/stuck/')) response.end(layer);
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    registry.closeAllConnections();
    registry.close();
  });

  it('pulls once for many tasks, tells so, and knows the user of the image', async () => {
    const image = `${address}/good:1`;
    const said: string[] = [];
    const images = createImages(engine, { pullTimeoutMs: 20_000 });
    try {
      const infos = await Promise.all(
        [1, 2, 3].map(async () =>
          images.ensure(
            image,
            waiter((line) => said.push(line)),
          ),
        ),
      );
      expect(infos).toEqual([
        { id: expect.stringContaining('sha256:'), user: '1000' },
        { id: expect.stringContaining('sha256:'), user: '1000' },
        { id: expect.stringContaining('sha256:'), user: '1000' },
      ]);
      expect(asked.filter((url) => url.endsWith(digestOf(layer)))).toHaveLength(1);
      expect(said.filter((line) => line === `pulling image ${image}`)).toHaveLength(3);
      await images.ensure(
        image,
        waiter((line) => said.push(line)),
      );
      expect(said).toHaveLength(6);
    } finally {
      await engine.client.getImage(image).remove();
    }
  });

  it('gives up at its time limit', async () => {
    const failure = await createImages(engine, { pullTimeoutMs: 500 })
      .ensure(`${address}/stuck/image:1`, waiter())
      .catch((error: unknown) => error);
    expect(failure instanceof TaskFault && failure.error).toMatchObject({ code: 'image_pull_failed', retryable: true });
    expect(failure instanceof TaskFault && failure.message).toContain('within 500 ms');
  });

  it('says that the registry does not have the image', async () => {
    const failure = await createImages(engine, { pullTimeoutMs: 20_000 })
      .ensure(`${address}/missing/image:1`, waiter())
      .catch((error: unknown) => error);
    expect(failure instanceof TaskFault && failure.error).toMatchObject({ code: 'image_not_found', retryable: false });
  });
});
