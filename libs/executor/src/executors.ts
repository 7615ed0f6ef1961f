import { isWeakerLevel, taskError, type SandboxLevel } from '@lattice/contracts';
import { createControlGroups, type Holding } from './control-groups/control-groups';
import { createDockerExecutor } from './docker/docker-executor';
import { connectEngine } from './docker/engine';
import { reapContainers } from './docker/reap-containers';
import { removeForeignFolder } from './docker/remove-foreign';
import { SettledHandle } from './handle';
import { createHttpExecutor } from './http/http-executor';
import { createNoneExecutor } from './none/none-executor';
import { createThreadExecutor } from './none/thread-executor';
import { stampOf, thisOwner, type Owner } from './owner';
import type { Executor, Handler, Mountable } from './port';
import { reapProcesses } from './subprocess/reap-processes';
import { createSeccompExecutor } from './seccomp/seccomp-executor';
import { stillThere } from './still-there';
import { createSubprocessExecutor } from './subprocess/subprocess-executor';
import { createTools } from './subprocess/tools';
import { withTypeScript } from './typescript';
import { Budget } from './warm/budget';
import { defaultWorkRoot, reapFolders } from './workspace';

export interface ExecutorsOptions {
  workerId: string;
  /** By name, without `handler/`. */
  handlers?: ReadonlyMap<string, Handler>;
  /** Asynchronous handlers at once; default 1,000. */
  handlerConcurrency?: number;
  /** For tasks that ask for none; default subprocess. Handlers run at `none`, containers at `docker` in any case. */
  defaultLevel?: SandboxLevel;
  /** No code runs at a weaker level; default none. Handlers are not meant: they are functions of the worker itself. */
  minLevel?: SandboxLevel;
  /** Folder for the files of executions; default: one of this user below the system's temporary folder. */
  workRoot?: string;
  /** Memory for interpreters and containers that are started ahead of code tasks, of all levels; default 0: none are. Each runs one task. */
  warmBytes?: number;
  /** Keep what an interpreter needs set up ahead of code tasks, without an interpreter: folder, limits, sandbox. Default: where there is memory for interpreters. */
  rooms?: boolean;
  /** False: no control groups are made for processes, and what they use is only measured. Default: they are made where this worker may. */
  controlGroups?: boolean;
  /** Told the reason when no more control groups can be made. */
  onGroupsLost?: (reason: string) => void;
  /** Told of a folder of a task, with files of another user, that can't be removed, and why. */
  onLeft?: (folder: string, reason: string) => void;
  /** PATH of code tasks; default the worker's. */
  searchPath?: string;
  /** Default python3. */
  python?: string;
  docker?: {
    /** Default: DOCKER_HOST, else the engine's usual socket. */
    socketPath?: string;
    /** Images with `node` and with `python3`, for code at level docker; default lattice/node and lattice/python. */
    nodeImage?: string;
    pythonImage?: string;
    /** Milliseconds; default 10 minutes. */
    pullTimeoutMs?: number;
    /** Folders of which containers may be given something; default: none. */
    mountable?: readonly Mountable[];
    /** Logins of registries: a configuration of Docker as JSON, or the path of such a file. Default: none. */
    credentials?: string;
  };
}

export interface Reaped {
  processes: number;
  containers: number;
  folders: number;
}

export interface Executors {
  /** The executor for a task; `level` is what the task asks for, undefined when it doesn't. Where the level asked for can't be given, what is submitted fails. */
  forTask(uses: string, level?: SandboxLevel): Executor;
  /** What this worker process is known by in its files, processes and containers. */
  readonly owner: string;
  /** Whether the worker process of that owner lives, or anything that it started still runs; that is ended. */
  stillThere(owner: string): Promise<boolean>;
  /** Ends what workers that are gone left on this machine. Call at the start of a worker. */
  reapOrphans(): Promise<Reaped>;
  /** Whether the kernel holds code in processes to its limits, by control groups. */
  holding(): Holding;
  close(): Promise<void>;
}

const HANDLER_CONCURRENCY = 1_000;
const PULL_TIMEOUT_MS = 600_000;

export function createExecutors(options: ExecutorsOptions): Executors {
  const owner = thisOwner(options.workerId);
  const workRoot = options.workRoot ?? defaultWorkRoot();
  const { warmBytes = 0, rooms = warmBytes > 0, handlers = new Map<string, Handler>() } = options;
  const none = createNoneExecutor({ handlers, concurrency: options.handlerConcurrency ?? HANDLER_CONCURRENCY });
  const http = createHttpExecutor();
  const searchPath = options.searchPath ?? process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const tools = createTools(options.python ?? 'python3');
  const groups = createControlGroups(owner, { off: options.controlGroups === false, onLost: options.onGroupsLost });
  const thread = withTypeScript(createThreadExecutor({ owner, workRoot, searchPath }));
  const warm = new Budget(warmBytes);
  const ofProcesses = { owner, workRoot, searchPath, tools, groups, warm, rooms };
  const subprocess = withTypeScript(createSubprocessExecutor(ofProcesses));
  const seccomp = withTypeScript(createSeccompExecutor(ofProcesses));
  const { container, removeForeign } = openDocker(options, { owner, workRoot, warm });

  const ofCode: Readonly<Record<SandboxLevel, Executor>> = { none: thread, subprocess, seccomp, docker: container };

  function forCode(level: SandboxLevel): Executor {
    const { minLevel = 'none' } = options;
    if (isWeakerLevel(level, minLevel)) {
      return refusing(
        level,
        `the task asks for level ${level}, this worker runs no code below ${minLevel} (LATTICE_SANDBOX_MIN)`,
      );
    }
    return ofCode[level];
  }

  return {
    forTask(uses, level) {
      if (uses === 'container') return container;
      if (uses === 'http') return http;
      if (!uses.startsWith('handler/')) return forCode(level ?? options.defaultLevel ?? 'subprocess');
      if (level === undefined || level === 'none') return none;
      return refusing(level, `${uses} is a function of the worker, so it runs at level none only`);
    },
    owner: stampOf(owner),
    stillThere: (stamp) => stillThere(stamp, owner, options.docker?.socketPath),
    async reapOrphans() {
      const ended = reapProcesses(owner);
      await groups.reap();
      const containers = await reapContainers(owner, options.docker?.socketPath);
      return { processes: ended, containers, folders: await reapFolders(workRoot, owner, removeForeign) };
    },
    holding: () => groups.holding(),
    async close() {
      await Promise.all([
        none.close(),
        thread.close(),
        http.close(),
        subprocess.close(),
        seccomp.close(),
        container.close(),
      ]);
      await groups.close();
    },
  };
}

function openDocker(
  { docker = {}, onLeft }: ExecutorsOptions,
  own: { owner: Owner; workRoot: string; warm: Budget },
): { container: Executor; removeForeign: (folder: string) => Promise<void> } {
  const { socketPath, nodeImage = 'lattice/node', pythonImage = 'lattice/python' } = docker;
  const codeImages = { node: nodeImage, python: pythonImage };
  const ofForeign = { engine: connectEngine(socketPath), owner: own.owner, codeImages, onLeft };
  const removeForeign = (folder: string): Promise<void> => removeForeignFolder(ofForeign, folder);
  const executor = createDockerExecutor({
    ...own,
    ...(socketPath === undefined ? {} : { socketPath }),
    codeImages,
    mountable: docker.mountable ?? [],
    removeForeign,
    pullTimeoutMs: docker.pullTimeoutMs ?? PULL_TIMEOUT_MS,
    credentials: docker.credentials,
  });
  return { container: withTypeScript(executor), removeForeign };
}

/** A weaker level than the one asked for is never used instead. */
function refusing(level: SandboxLevel, message: string): Executor {
  const handle = new SettledHandle({ status: 'failed', error: taskError('sandbox_failed', message) });
  return { level, submit: () => handle, close: () => Promise.resolve() };
}
