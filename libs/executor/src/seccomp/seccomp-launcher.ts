import { accessSync, closeSync, constants, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LatticeError } from '@lattice/contracts';
import type { Owner } from '../owner';
import { baseEnvironment, prlimitArgs, runnerWords } from '../subprocess/command';
import type { Launcher, Prepared, ScriptStart, Shape } from '../subprocess/launcher';
import { threadLimit, type Tools } from '../subprocess/tools';
import { scriptEnvironment, scriptWords } from '../script/script-words';
import { holdWords } from '../warm/hold';
import { makeOutputFiles, openWorkspace, type Workspace } from '../workspace';
import { INSIDE, NOBODY, ownArgs, placesInside, sharedArgs } from './bubblewrap';
import { encode, filterOf } from './filter';
import { makeKit, type Kit } from './kit';
import { policyOf } from './policy';
import { canPass, isReachable } from './reach';
import type { Architecture } from './syscalls';
import { isInView, localView, nodeView, pythonView, systemView, type InterpreterView } from './view';

export interface SeccompOptions {
  owner: Owner;
  workRoot: string;
  /** PATH of the worker: bubblewrap is looked for there. */
  searchPath: string;
  tools: Tools;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: 'x86_64', arm64: 'aarch64' };
/** PATH of the tasks. */
const INSIDE_PATH = '/usr/local/bin:/usr/bin:/bin';
const OTHERS_EXECUTE = 0o001;
const USUAL_NODES = ['/usr/local/bin/node', '/usr/bin/node'];
/** Of the kit. */
const PYTHON_RUNNER = 'python.py';
const COMPILED_RUNNER = 'python.pyc';
const USUAL_PYTHONS = ['/usr/local/bin/python3', '/usr/bin/python3'];

/** Level `seccomp`: the interpreter inside a sandbox made by bubblewrap, with a filter of system calls that is ours. */
export function createSeccompLauncher(options: SeccompOptions): Launcher {
  const { owner, workRoot, searchPath, tools } = options;
  // Root gives up what it is; another user has nothing to give up, and inside is 65534 all the same.
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  let kit: Kit | undefined;
  let filter: number | undefined;
  const shapes = new Map<string, Promise<Prepared>>();

  async function make(shape: Shape): Promise<Prepared> {
    const bwrap = findBubblewrap(searchPath);
    kit ??= makeKit(workRoot, owner, uid !== undefined);
    const { folder } = kit;
    const mustReach = uid !== undefined;
    const interpreter = shape.scripts === undefined ? await viewOf(shape, { tools, mustReach, folder }) : undefined;
    const prlimit = await tools.prlimit();
    const limits = prlimit === undefined ? [] : [...prlimit, ...prlimitArgs(shape), ...processLimit(shape)];
    filter ??= openFilter(folder);
    const own = filter;
    if (uid !== undefined && !canPass(workRoot)) throw unreachable(workRoot);
    const view = shape.scripts === undefined ? (interpreter?.binds ?? []) : localView();
    const shared = sharedArgs(shape, [...systemView(), ...view], folder);
    const runner = interpreter === undefined ? [] : wordsOf(shape, interpreter);
    return {
      openWorkspace: (token) => workspaceOf(workRoot, token, shape, uid),
      launch(workspace, { held, script }) {
        if (script !== undefined) mustSee(script, uid !== undefined);
        const places = placesInside(workspace);
        const words = script === undefined ? runner : scriptWords(script);
        return {
          file: bwrap,
          args: [
            ...[...shared, ...ownArgs(workspace, script?.folder), ...limits],
            ...(held ? holdWords(places.start, words) : words),
          ],
          cwd: '/',
          env: { ...baseEnvironment(INSIDE, INSIDE_PATH), ...scriptEnvironment(script?.folder) },
          places,
          // A new description of the file, to be read from its begin.
          handles: [openSync(`/proc/self/fd/${own}`, 'r')],
          uid,
        };
      },
    };
  }

  return {
    level: 'seccomp',
    wrapped: true,
    memoryFolders: [INSIDE.temp, INSIDE.shared],
    prepare(shape) {
      const key = JSON.stringify(shape);
      let prepared = shapes.get(key);
      if (prepared === undefined) {
        prepared = make(shape);
        shapes.set(key, prepared);
        // What is missing may be installed while the worker runs.
        prepared.catch(() => shapes.delete(key));
      }
      return prepared;
    },
    async close() {
      if (filter !== undefined) closeSync(filter);
      filter = undefined;
      await kit?.remove();
      kit = undefined;
      shapes.clear();
    },
  };
}

async function viewOf(
  shape: Shape,
  { tools, mustReach, folder }: { tools: Tools; mustReach: boolean; folder: string },
): Promise<InterpreterView> {
  if (shape.language !== 'python') return nodeView([process.execPath, ...USUAL_NODES], mustReach);
  const asked = await tools.python().catch(() => '');
  const candidates = [asked, ...USUAL_PYTHONS].filter((one) => one !== '');
  return pythonView(candidates, mustReach, {
    source: path.join(folder, PYTHON_RUNNER),
    target: path.join(folder, COMPILED_RUNNER),
    seenAs: `${INSIDE.kit}/${PYTHON_RUNNER}`,
  });
}

/** What runs a task: its runner, compiled where it was. */
function wordsOf(shape: Shape, { file, compiled }: InterpreterView): string[] {
  return compiled ? [file, `${INSIDE.kit}/${COMPILED_RUNNER}`] : runnerWords(shape, file, INSIDE.kit);
}

function workspaceOf(root: string, token: string, { language }: Shape, uid: number | undefined): Workspace {
  const given = uid === undefined ? {} : { uid };
  const workspace = openWorkspace({ root, token, language, audience: 'sandbox', ...given });
  makeOutputFiles(workspace, uid);
  return workspace;
}

/** The kernel counts threads, the limit of an execution counts processes; inside the user namespace it counts this task's alone. */
function processLimit(shape: Shape): string[] {
  return shape.processes === undefined ? [] : [`--nproc=${threadLimit(shape.processes)}`];
}

/** The filter in a file without a name, which nobody can change or cut. */
function openFilter(folder: string): number {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) {
    throw new LatticeError('sandbox_failed', `level seccomp knows no system calls of ${process.arch}: ask for docker`);
  }
  const file = path.join(folder, 'filter');
  writeFileSync(file, encode(filterOf(policyOf({ countedByKernel: false }), architecture)), { mode: 0o600 });
  const handle = openSync(file, 'r');
  unlinkSync(file);
  return handle;
}

function findBubblewrap(searchPath: string): string {
  for (const folder of searchPath.split(':')) {
    const file = path.join(folder, 'bwrap');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next folder.
    }
  }
  if (process.platform !== 'linux') {
    throw new LatticeError('sandbox_failed', `level seccomp needs Linux, this worker runs on ${process.platform}`);
  }
  throw new LatticeError(
    'sandbox_failed',
    'level seccomp needs bubblewrap, which this worker does not have: sudo apt-get install bubblewrap ' +
      '(Debian, Ubuntu), sudo dnf install bubblewrap (Fedora), sudo apk add bubblewrap (Alpine); the task was not run',
  );
}

/** `mustReach`: the sandbox's user is another than the worker's. */
function mustSee(script: ScriptStart, mustReach: boolean): void {
  const { folder, file, interpreter } = script;
  const shown = JSON.stringify(file);
  const target = path.join(folder, file);
  if (mustReach && !(isReachable(target) && (statSync(target).mode & OTHERS_EXECUTE) !== 0)) {
    const message = `the user of sandboxes, 65534, may not read and execute ${shown}: chmod o+rx it, and o+x the folders above`;
    throw new LatticeError('script_not_executable', message);
  }
  if (interpreter === undefined || !path.isAbsolute(interpreter)) return;
  if (interpreter.startsWith(`${folder}/`) || isInView(interpreter)) return;
  throw new LatticeError(
    'language_unavailable',
    `the program of the #! line of ${shown}, ${interpreter}, is not seen at level seccomp: only programs of the system, ` +
      'of /usr/local and of the folder of scripts are',
  );
}

function unreachable(workRoot: string): LatticeError {
  return new LatticeError(
    'sandbox_failed',
    `the user of sandboxes, 65534, can't pass through ${path.dirname(workRoot)} to the work folder ${workRoot}: ` +
      'set TMPDIR to a folder that all users may pass through',
  );
}
