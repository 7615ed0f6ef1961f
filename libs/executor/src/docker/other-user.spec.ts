import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { buildImage } from '../../test/images';
import { collector, dockerAnswers, eventually, newFolder } from '../../test/support';
import { connectEngine } from './engine';

const ROOT = process.getuid?.() === 0;
/** Of the workers here: a user who is not root, and who may speak to the engine. */
const UID = 1_000;
const SCRIPT = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
const OTHERS = 'lattice-test/other-user';

/** Leaves a folder, says whose it is, and does the rest. */
const leaves = (rest: string): string =>
  `mkdir $LATTICE_ARTIFACTS/sub; echo 1 >$LATTICE_ARTIFACTS/sub/data.csv; echo left by $(id -u); ${rest}`;

const withDocker = dockerAnswers() ? describe : describe.skip;

let folder: string;
let workRoot: string;
const workers: ChildProcess[] = [];
beforeEach(() => {
  folder = newFolder();
  workRoot = path.join(folder, 'work');
  mkdirSync(workRoot, { mode: 0o700 });
  chmodSync(folder, 0o755);
  if (ROOT) for (const one of [folder, workRoot]) chownSync(one, UID, UID);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(end));
  rmSync(folder, { recursive: true, force: true });
});

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
}

/** A worker that runs the program; gives its log. */
function startWorker(level: string, program: object): { worker: ChildProcess; said: () => string } {
  const args = [
    '--conditions=lattice-source',
    SCRIPT,
    `other-user-${process.pid}`,
    workRoot,
    level,
    JSON.stringify(program),
  ];
  const user = ROOT ? { uid: UID, gid: dockerAnswers() ? statSync('/var/run/docker.sock').gid : UID } : {};
  const worker = spawn(process.execPath, args, {
    ...user,
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(worker);
  const log = collector();
  worker.stdout.on('data', (chunk: Buffer) => log.onLog({ stream: 'stdout', text: chunk.toString(), at: 0 }));
  return { worker, said: () => log.text() };
}

/** Folders of executions; that of the runners is none. */
const left = (): string[] => readdirSync(workRoot).filter((name) => /~[1-9]\d*$/.test(name));

withDocker('a worker that is not root', () => {
  const { client } = connectEngine();
  const container = (image: string, script: string): object => ({
    uses: 'container',
    container: { image, env: {}, command: ['/bin/sh', '-c', script] },
  });
  let removeImage: () => Promise<void>;
  beforeAll(async () => {
    removeImage = await buildImage(client, OTHERS, ['FROM lattice/python', 'USER 1234:1234']);
  });
  afterAll(async () => removeImage());

  it('runs containers whose image names no user as its own user, and removes what they leave', async () => {
    const { said } = startWorker('docker', container('lattice/python', leaves('true')));
    await eventually(() => said().includes(`left by ${ROOT ? UID : process.getuid?.()}\n`));
    await eventually(() => left().length === 0);
  });

  it('removes what a container left as the user that its image names', async () => {
    const { said } = startWorker('docker', container(OTHERS, leaves('chmod 0 $LATTICE_ARTIFACTS/sub')));
    await eventually(() => said().includes('left by 1234\n'));
    await eventually(() => left().length === 0);
  });

  it('removes it at its start, too, when the worker before it was killed', async () => {
    const { worker, said } = startWorker('docker', container(OTHERS, leaves('sleep 600')));
    await eventually(() => said().includes('left by 1234\n'));
    await end(worker);
    expect(left()).toHaveLength(1);
    const next = startWorker('docker', container('lattice/python', 'echo next'));
    await eventually(() => next.said().includes('next'));
    await eventually(() => left().length === 0);
  });
});

it('removes folders that a task has closed against itself', async () => {
  const source = `import os
def main(input):
  sub = os.path.join(os.environ["LATTICE_ARTIFACTS"], "sub")
  os.makedirs(sub + "/below")
  os.chmod(sub + "/below", 0)
  os.chmod(sub, 0)
  print("left")`;
  const { said } = startWorker('subprocess', { uses: 'code', code: { language: 'python', source } });
  await eventually(() => said().includes('left'));
  await eventually(() => left().length === 0);
});
