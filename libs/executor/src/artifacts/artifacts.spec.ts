import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type { Artifact } from '@lattice/contracts';
import { bubblewrapWorks, code, dockerAnswers, errorOf, MEBIBYTE, newFolder, outputOf } from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import { collectFiles } from './collect';
import type { ArtifactKeeper } from './port';

const LEVELS = [
  'subprocess' as const,
  ...(bubblewrapWorks() ? (['seccomp'] as const) : []),
  ...(dockerAnswers() ? (['docker'] as const) : []),
];
const workRoot = newFolder();
let executors: Executors;
beforeAll(() => {
  executors = createExecutors({ workerId: 'artifacts-test', workRoot, warmBytes: 128 * MEBIBYTE });
});
afterAll(async () => {
  await executors.close();
  expect(readdirSync(workRoot)).toEqual([]);
  rmSync(workRoot, { recursive: true });
});

/** Keeps what it is given, by name. */
function keeper(
  bounds: Partial<Pick<ArtifactKeeper, 'maxBytes' | 'maxCount'>> = {},
): ArtifactKeeper & { kept: Map<string, Buffer> } {
  const kept = new Map<string, Buffer>();
  return {
    maxBytes: MEBIBYTE,
    maxCount: 10,
    ...bounds,
    kept,
    async keep(files) {
      const all: Artifact[] = [];
      for (const file of files) {
        kept.set(file.name, await buffer(await file.read()));
        all.push({ id: randomUUID(), name: file.name, size: file.size, sha256: '', mediaType: '' });
      }
      return all;
    },
  };
}

const JAVASCRIPT = 'import { mkdirSync, writeFileSync } from "node:fs"; const at = process.env.LATTICE_ARTIFACTS;';
const PYTHON = 'import os\nat = os.environ["LATTICE_ARTIFACTS"]\ndef main(input):\n  ';

describe.each(LEVELS)('at level %s', (level) => {
  const run = (
    source: string,
    language: 'javascript' | 'python',
    artifacts: ArtifactKeeper,
    files?: Record<string, string>,
  ) =>
    executors
      .forTask('code', level)
      .submit(
        code(language, source, {
          artifacts,
          limits: { timeoutMs: 15_000 },
          files: Object.entries(files ?? {}).map(([name, body]) => ({
            name,
            read: () => Promise.resolve(Readable.from([body])),
          })),
        }),
      )
      .result();

  // Twice: the first one starts an interpreter, the second one takes one that waited.
  test.each(['cold', 'warm'])('files are kept when the task completes, with their folders, %s', async () => {
    const own = keeper();
    const source = `${JAVASCRIPT} export default () => {
      mkdirSync(at + "/deep/er", { recursive: true }); mkdirSync(at + "/nothing");
      writeFileSync(at + "/deep/er/data.bin", Buffer.alloc(3)); writeFileSync(at + "/b ü.txt", "text", { mode: 0o600 });
      return 7;
    }`;
    const outcome = await run(source, 'javascript', own);
    expect(outputOf(outcome)).toBe(7);
    expect(outcome).toMatchObject({
      artifacts: [
        { name: 'b ü.txt', size: 4 },
        { name: 'deep/er/data.bin', size: 3 },
      ],
    });
    expect(own.kept).toEqual(
      new Map([
        ['b ü.txt', Buffer.from('text')],
        ['deep/er/data.bin', Buffer.alloc(3)],
      ]),
    );
  });

  test('files that are given are there before the task starts, read-only', async () => {
    const source = `import { readFileSync, writeFileSync, unlinkSync } from "node:fs"; const at = process.env.LATTICE_FILES;
      const tries = (act) => { try { act(); return "done" } catch (error) { return error.code } };
      export default () => [readFileSync(at + "/in/data.csv", "utf8"), tries(() => writeFileSync(at + "/in/data.csv", "changed")),
        tries(() => writeFileSync(at + "/in/new", "new"))]`;
    const outcome = await run(source, 'javascript', keeper(), { 'in/data.csv': 'a;b' });
    const [read, ...writes] = outputOf(outcome) as string[];
    expect(read).toBe('a;b');
    // At level subprocess a task has the rights of the worker; the copy is its own.
    if (level !== 'subprocess') expect(writes).toEqual(['EROFS', 'EROFS']);
  });

  test('a task that fails leaves nothing', async () => {
    const own = keeper();
    const source = `${JAVASCRIPT} export default () => { writeFileSync(at + "/x", "x"); throw new Error("no") }`;
    expect(errorOf(await run(source, 'javascript', own)).code).toBe('task_failed');
    expect(own.kept.size).toBe(0);
  });

  test.each([
    ['a link to a file of the machine', 'os.symlink("/etc/passwd", at + "/x")'],
    ['a link to a file of its own', 'open(at + "/y", "w").close(); os.symlink("y", at + "/x")'],
    ['a link to nothing', 'os.symlink("/none", at + "/x")'],
    ['a folder that is a link', 'os.symlink("/etc", at + "/x")'],
    ['a link deep down', 'os.mkdir(at + "/d"); os.symlink("../../../../../../etc/passwd", at + "/d/x")'],
    ['a pipe', 'os.mkfifo(at + "/x")'],
    ['a socket', 'import socket; os.chdir(at); socket.socket(socket.AF_UNIX).bind("x")'],
    ['a name that is no text', 'open(os.fsencode(at) + b"/\\xff\\xfe", "w").close()'],
    ['a name with a line break', 'open(at + "/a\\nb", "w").close()'],
  ])('%s is refused', async (_, act) => {
    const own = keeper();
    expect(errorOf(await run(`${PYTHON}${act}`, 'python', own))).toMatchObject({
      code: 'artifact_refused',
      retryable: false,
    });
    expect(own.kept.size).toBe(0);
  });

  test('more than the bounds is refused, and nothing of it kept', async () => {
    const own = keeper({ maxBytes: 10_000, maxCount: 3 });
    const large = await run(`${PYTHON}open(at + "/x", "w").truncate(1 << 40)`, 'python', own);
    expect(errorOf(large)).toMatchObject({ code: 'artifacts_too_large', retryable: false });
    const many = await run(`${PYTHON}[open(at + "/%d" % i, "w").close() for i in range(4)]`, 'python', own);
    expect(errorOf(many)).toMatchObject({ code: 'artifacts_too_large' });
    expect(own.kept.size).toBe(0);
  });

  test('a keeper that fails makes the execution fail; one that hangs is given up by a cancel', async () => {
    const bounds = { maxBytes: 100, maxCount: 1 };
    const source = `${JAVASCRIPT} export default () => writeFileSync(at + "/x", "x")`;
    const failing = { ...bounds, keep: () => Promise.reject(new Error('the store is away')) };
    expect(errorOf(await run(source, 'javascript', failing)).message).toContain('the store is away');
    let begun: () => void = () => undefined;
    const keeping = new Promise<void>((resolve) => (begun = resolve));
    const hanging: ArtifactKeeper = {
      ...bounds,
      keep: (_, signal) =>
        new Promise((_resolve, reject) => {
          begun();
          signal.addEventListener('abort', () => reject(new Error('given up')));
        }),
    };
    const handle = executors.forTask('code', level).submit(code('javascript', source, { artifacts: hanging }));
    await keeping;
    await handle.cancel('enough');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });

  if (level !== 'subprocess') {
    test('a task that fills its folder is stopped while it runs', async () => {
      const source = `${PYTHON}import time; file = open(at + "/x", "wb")
  while True: file.write(bytes(1 << 20)); file.flush(); time.sleep(0.001)`;
      expect(errorOf(await run(source, 'python', keeper()))).toMatchObject({ code: 'artifacts_too_large' });
    });
  }

  if (level === 'seccomp') {
    test.each([
      ['open', 'kept = [None]'],
      ['mapped', 'import mmap; kept = [mmap.mmap(file.fileno(), 1 << 24)]; file.close()'],
    ])('files that are deleted but still %s count', async (_, hold) => {
      const source = `${PYTHON}import time; file = open(at + "/x", "wb+"); file.write(bytes(1 << 24)); file.flush()
  ${hold}; os.unlink(at + "/x"); time.sleep(10)`;
      expect(errorOf(await run(source, 'python', keeper()))).toMatchObject({ code: 'artifacts_too_large' });
    });
  }
});

test('a folder that becomes a link after it was looked at leads nowhere', async () => {
  const root = newFolder();
  mkdirSync(path.join(root, 'sub'));
  writeFileSync(path.join(root, 'sub', 'passwd'), 'mine');
  const [file] = await collectFiles(root, { maxBytes: 100, maxCount: 1 });
  rmSync(path.join(root, 'sub'), { recursive: true });
  symlinkSync('/etc', path.join(root, 'sub'));
  await expect(file?.read()).rejects.toMatchObject({ code: 'artifact_refused' });
  rmSync(root, { recursive: true });
});

test('two names of one file are two files', async () => {
  const root = newFolder();
  writeFileSync(path.join(root, 'a'), 'both');
  linkSync(path.join(root, 'a'), path.join(root, 'b'));
  const files = await collectFiles(root, { maxBytes: 100, maxCount: 2 });
  expect(await Promise.all(files.map(async (file) => [file.name, await text(await file.read())]))).toEqual([
    ['a', 'both'],
    ['b', 'both'],
  ]);
  rmSync(root, { recursive: true });
});
