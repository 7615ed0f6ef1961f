import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { collector, common, dockerAnswers, errorOf, eventually, newFolder } from '../../test/support';
import { LOGIN, startRegistry, whyNoRegistry, type Registry } from '../../test/registry';
import { createExecutors, type Executors } from '../executors';
import type { Execution } from '../port';
import { connectEngine } from './engine';

const reason = dockerAnswers() ? whyNoRegistry() : 'no Docker engine answers';
if (reason !== undefined) process.stderr.write(`Skipping the tests of pulls from a registry: ${reason}\n`);
const describeHere = reason === undefined ? describe : describe.skip;

describeHere(`a registry that wants a login${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const { client } = connectEngine();
  const opened: Executors[] = [];
  let registry: Registry;
  let folder: string;
  let image: string;

  beforeAll(async () => {
    folder = newFolder();
    registry = await startRegistry();
    image = await registry.push('private');
  });
  afterEach(async () => {
    registry.slow(false);
    registry.asked.length = 0;
    await Promise.all(opened.splice(0).map((executors) => executors.close()));
    await client
      .getImage(image)
      .remove({ force: true })
      .catch(() => undefined);
  });
  afterAll(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const auth = (password = LOGIN.password): string => Buffer.from(`${LOGIN.username}:${password}`).toString('base64');
  const config = (login: object): string => JSON.stringify({ auths: { [registry.address]: login } });

  function executorsWith(credentials?: string, pullTimeoutMs = 30_000): Executors {
    const docker = { pullTimeoutMs, ...(credentials === undefined ? {} : { credentials }) };
    const executors = createExecutors({ workerId: 'registry', workRoot: path.join(folder, 'work'), docker });
    opened.push(executors);
    return executors;
  }

  interface Told {
    readonly log: ReturnType<typeof collector>;
    readonly progress: { percent: number; text: string | undefined }[];
  }

  function start(
    executors: Executors,
    of = image,
  ): Told & { handle: ReturnType<ReturnType<Executors['forTask']>['submit']> } {
    const log = collector();
    const progress: Told['progress'] = [];
    const execution: Execution = {
      ...common({ onLog: log.onLog }),
      onProgress: (percent, text) => void progress.push({ percent, text }),
      uses: 'container',
      container: { image: of, env: {}, command: ['/bin/sh', '-c', 'echo it runs'] },
    };
    return { handle: executors.forTask('container').submit(execution), log, progress };
  }

  it('gives an image to who has one, telling how far it has come, and runs it', async () => {
    registry.slow(true);
    const { handle, log, progress } = start(executorsWith(config({ auth: auth() })));
    await eventually(() => progress.length > 2);
    registry.slow(false);
    expect(await handle.result()).toMatchObject({ status: 'completed' });
    expect(log.text()).toMatch(/^\[lattice\] pulling image .*\n\[lattice\] pulled image .* in [\d.]+ s\nit runs\n$/);
    expect(progress.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^pulling \d of 4 layers, [\d.]+ of \d+(\.\d)? MB$/),
    );
    expect(progress.every(({ percent }) => percent >= 0 && percent < 100)).toBe(true);
  });

  it.each([
    ['user and password', () => config({ username: LOGIN.username, password: LOGIN.password })],
    ['a URL as its key', () => JSON.stringify({ auths: { [`http://${registry.address}/v2/`]: { auth: auth() } } })],
    [
      'a file of Docker',
      () => {
        const file = path.join(folder, 'config.json');
        writeFileSync(file, JSON.stringify({ auths: { [registry.address]: { auth: auth() } }, HttpHeaders: {} }));
        return file;
      },
    ],
  ])('takes %s', async (_, credentials) => {
    expect(await start(executorsWith(credentials())).handle.result()).toMatchObject({ status: 'completed' });
  });

  it('is asked with what a credential helper says', async () => {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    const helper = (name: string, script: string): void => {
      writeFileSync(path.join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(bin, `docker-credential-${name}`), 0o755);
    };
    const answer = JSON.stringify({ ServerURL: 'x', Username: LOGIN.username, Secret: LOGIN.password });
    helper('good', `[ "$1" = get ] && [ "$(cat)" = "${registry.address}" ] && echo '${answer}'`);
    helper('bad', 'echo not-to-be-shown; exit 1');
    const searchPath = process.env['PATH'];
    process.env['PATH'] = `${bin}:${searchPath}`;
    try {
      const of = (name: string): string => JSON.stringify({ credHelpers: { [registry.address]: name } });
      expect(await start(executorsWith(of('good'))).handle.result()).toMatchObject({ status: 'completed' });
      await client.getImage(image).remove({ force: true });
      const failed = errorOf(await start(executorsWith(of('bad'))).handle.result());
      expect(failed).toMatchObject({ code: 'registry_credentials', retryable: false });
      expect(failed.message).not.toContain('not-to-be-shown');
      expect(errorOf(await start(executorsWith(of('nobody-has-it'))).handle.result()).message).toContain(
        'not on the PATH',
      );
      expect(errorOf(await start(executorsWith(of('../sh'))).handle.result()).message).toContain(
        'no name of a credential',
      );
    } finally {
      process.env['PATH'] = searchPath;
    }
  });

  it('refuses who has none, or a wrong one, for good', async () => {
    const without = errorOf(await start(executorsWith()).handle.result());
    expect(without).toMatchObject({
      code: 'registry_denied',
      retryable: false,
      details: { registry: registry.address },
    });
    expect(without.message).toContain('LATTICE_REGISTRY_AUTH');
    const wrong = errorOf(await start(executorsWith(config({ auth: auth('wrong-password') }))).handle.result());
    expect(wrong).toMatchObject({ code: 'registry_denied', retryable: false });
    expect(wrong.message).toContain('refused the credentials');
    expect(wrong.message).not.toContain('wrong-password');
    const elsewhere = JSON.stringify({ auths: { 'example.com': { auth: auth() } } });
    expect(errorOf(await start(executorsWith(elsewhere)).handle.result())).toMatchObject({ code: 'registry_denied' });
  });

  it('says what is wrong with credentials, and does not show them', async () => {
    const failed = async (credentials: string) => errorOf(await start(executorsWith(credentials)).handle.result());
    for (const credentials of [
      path.join(folder, 'nowhere.json'),
      '{"auths": [hunter2]}',
      JSON.stringify({ auths: { [registry.address]: { auth: 7 } } }),
      config({ auth: Buffer.from('hunter2').toString('base64') }),
    ]) {
      const error = await failed(credentials);
      expect(error).toMatchObject({ code: 'registry_credentials', retryable: false });
      expect(error.message).not.toMatch(/hunter2|aHVudGVyMg/);
    }
  });

  it('knows no such image', async () => {
    const missing = `${registry.address}/private:2`;
    const error = errorOf(await start(executorsWith(config({ auth: auth() })), missing).handle.result());
    expect(error).toMatchObject({ code: 'image_not_found', retryable: false });
  });

  it('that is away is worth another attempt', async () => {
    const error = errorOf(await start(executorsWith(), '127.0.0.1:1/nobody:1').handle.result());
    expect(error).toMatchObject({ code: 'image_pull_failed', retryable: true });
  });

  it('is asked once for tasks that start together, and goes on while one of them waits', async () => {
    registry.slow(true);
    const executors = executorsWith(config({ auth: auth() }));
    const [one, other] = [start(executors), start(executors)];
    await eventually(() => one.progress.length > 0 && other.progress.length > 0);
    await one.handle.cancel('the test says so');
    expect(await one.handle.result()).toEqual({ status: 'cancelled' });
    registry.slow(false);
    expect(await other.handle.result()).toMatchObject({ status: 'completed' });
    expect(new Set(registry.asked).size).toBe(registry.asked.length);
  });

  it('is left when the last task that waits is cancelled, and asked anew later', async () => {
    registry.slow(true);
    const executors = executorsWith(config({ auth: auth() }));
    const both = [start(executors), start(executors)];
    await eventually(() => registry.underway > 0 && both.every(({ progress }) => progress.length > 0));
    await Promise.all(both.map(({ handle }) => handle.cancel('the test says so')));
    await eventually(() => registry.underway === 0);
    registry.slow(false);
    expect(await start(executors).handle.result()).toMatchObject({ status: 'completed' });
  });

  it('has so much time for a pull, then another attempt may begin', async () => {
    registry.slow(true);
    const error = errorOf(await start(executorsWith(config({ auth: auth() }), 1_000)).handle.result());
    expect(error).toMatchObject({ code: 'image_pull_failed', retryable: true });
    expect(error.message).toContain('within 1000 ms');
    await eventually(() => registry.underway === 0);
  });
});
