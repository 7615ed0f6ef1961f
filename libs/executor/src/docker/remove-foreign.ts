import type Dockerode from 'dockerode';
import { nextToken, type Owner } from '../owner';
import { removeFolder } from '../remove-folder';
import { messageOf } from '../thrown';
import { inBody, removeContainer } from './container';
import { containerName, OWNER_LABEL, type CodeImages } from './container-spec';
import type { Engine } from './engine';
import { seccompProfile } from './seccomp-profile';

const INSIDE = '/lattice/left';
const REMOVE_MS = 120_000;
const MOST_PIDS = 32;

/** As removeFolder does: what no path leads to is brought up first. */
const NODE = `const fs = require('fs'), folders = ['${INSIDE}']; let moved = 0
for (let at; (at = folders.pop()) !== undefined;) for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue
  let inner = at + '/' + entry.name
  if (inner.length > 1000) fs.renameSync(inner, (inner = '${INSIDE}/' + process.hrtime.bigint() + '-' + moved++))
  folders.push(inner)
}
for (const name of fs.readdirSync('${INSIDE}')) fs.rmSync('${INSIDE}/' + name, { recursive: true })`;
const PYTHON = `import os, shutil
for one in os.scandir('${INSIDE}'): shutil.rmtree(one.path) if one.is_dir(follow_symlinks=False) else os.remove(one.path)`;

export interface ForeignOptions {
  engine: Engine;
  owner: Owner;
  /** One of these does it: root in an image that a task names would be root in the hands of the task. */
  codeImages: CodeImages;
  onLeft?: ((folder: string, reason: string) => void) | undefined;
}

/**
 * Removes a folder of a task, in which nothing runs any more, that holds files of another user than the worker's: by a container
 * that sees nothing else, whose root may pass by permissions and do no more. What is left is told to `onLeft`.
 */
export async function removeForeignFolder(options: ForeignOptions, folder: string): Promise<void> {
  const { codeImages, onLeft } = options;
  const ways: [string, string[]][] = [
    [codeImages.node, ['node', '-e', NODE]],
    [codeImages.python, ['python3', '-c', PYTHON]],
  ];
  const reasons: string[] = [];
  for (const [image, words] of ways) {
    const reason = await run(options, specOf(nextToken(options.owner), { folder, image, words }));
    if (await removeFolder(folder)) return;
    reasons.push(`${image}: ${reason ?? 'removed not all'}`);
  }
  onLeft?.(folder, reasons.join('; '));
}

/** Why it could not be run to its end; undefined when it was. */
async function run({ engine }: ForeignOptions, spec: Dockerode.ContainerCreateOptions): Promise<string | undefined> {
  const container = engine.client.getContainer(spec.name ?? '');
  try {
    await engine.call('create a container', async (abortSignal) =>
      engine.client.createContainer(inBody(spec, abortSignal)),
    );
    await engine.call('start a container', async (abortSignal): Promise<unknown> => container.start({ abortSignal }));
    await engine.call(
      'remove the files in a container',
      async (abortSignal): Promise<unknown> => container.wait({ abortSignal }),
      REMOVE_MS,
    );
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    await removeContainer(engine, container);
  }
}

function specOf(
  token: string,
  { folder, image, words }: { folder: string; image: string; words: string[] },
): Dockerode.ContainerCreateOptions {
  return {
    name: containerName('left', token),
    Image: image,
    User: '0:0',
    // As all containers of the worker, so that the next one removes it should this one die.
    Labels: { [OWNER_LABEL]: token },
    Entrypoint: words,
    Cmd: [],
    WorkingDir: '/',
    HostConfig: {
      Binds: [`${folder}:${INSIDE}:rw`],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['DAC_OVERRIDE', 'FOWNER'],
      SecurityOpt: ['no-new-privileges', `seccomp=${seccompProfile()}`],
      PidsLimit: MOST_PIDS,
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}
