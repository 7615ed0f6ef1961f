import type Dockerode from 'dockerode';
import { OWNER_VARIABLE } from '../owner';
import type { Execution, ExecutionLimits } from '../port';
import { nodeFlags, RUNNERS_FOLDER } from '../subprocess/command';
import type { Workspace } from '../workspace';
import type { ImageInfo } from './images';

const EXECUTION_LABEL = 'lattice.execution';
/** The token of the execution, whose stamp says which worker process started it. */
export const OWNER_LABEL = 'lattice.owner';

export interface CodeImages {
  node: string;
  python: string;
}

/** nobody, for images that would run as root. */
const NOBODY = '65534:65534';
const MEBIBYTE = 1024 * 1024;
const DEFAULT_TMP_BYTES = 512 * MEBIBYTE;
/** The engine counts threads, the limit of an execution counts processes. */
const THREADS_PER_PROCESS = 32;
const DEFAULT_PROCESSES = 16;
const PERIOD_NANOSECONDS = 1_000_000_000;

const INSIDE = {
  input: '/lattice/input.json',
  outputFolder: '/lattice/output',
  output: '/lattice/output/output.json',
  fault: '/lattice/output/fault.json',
  runners: '/lattice/runners',
};

export function imageOf(execution: Execution, images: CodeImages): string {
  if (execution.uses === 'container') return execution.container.image;
  return execution.uses === 'code' && execution.code.language === 'python' ? images.python : images.node;
}

/** What to create, hardened: see the table of levels in the README. */
export function containerSpec(options: {
  execution: Execution;
  workspace: Workspace;
  token: string;
  image: string;
  info: ImageInfo;
}): Dockerode.ContainerCreateOptions {
  const { execution, workspace, token, image, info } = options;
  return {
    name: containerName(execution.id, token),
    Image: image,
    User: info.user ?? NOBODY,
    Env: environment(execution, workspace, token),
    Labels: { [EXECUTION_LABEL]: execution.id, [OWNER_LABEL]: token },
    AttachStdout: true,
    AttachStderr: true,
    ...program(execution, workspace),
    HostConfig: {
      ...limitsOf(execution.limits),
      Binds: binds(workspace),
      Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${execution.limits.memoryBytes ?? DEFAULT_TMP_BYTES}` },
      NetworkMode: execution.uses === 'container' ? (execution.container.network ?? 'none') : 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      // Reaps what the task leaves, and hands on SIGTERM, which a shell as process 1 would ignore.
      Init: true,
      IpcMode: 'private',
      // The log is read while it is written; the engine need not keep it too.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

/** Unique, so that a container that could not be removed does not block the next attempt. */
export function containerName(id: string, token: string): string {
  const number = token.slice(token.lastIndexOf('~') + 1);
  return `lattice-${id.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 160)}-${process.pid}-${number}`;
}

function limitsOf(limits: ExecutionLimits): Dockerode.HostConfig {
  const { memoryBytes, cpu, fileBytes, processes } = limits;
  const ulimits: Dockerode.Ulimit[] = [
    { Name: 'nofile', Soft: 4_096, Hard: 4_096 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ];
  if (fileBytes !== undefined) ulimits.push({ Name: 'fsize', Soft: fileBytes, Hard: fileBytes });
  return {
    // Swap counts into the same limit: no swapping past it.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpu === undefined ? {} : { NanoCpus: Math.round(cpu * PERIOD_NANOSECONDS) }),
    PidsLimit: (processes ?? DEFAULT_PROCESSES) * THREADS_PER_PROCESS,
    Ulimits: ulimits,
  };
}

function program(execution: Execution, workspace: Workspace): Dockerode.ContainerCreateOptions {
  if (execution.uses === 'container') {
    const { command, entrypoint, workdir } = execution.container;
    return {
      ...(command === undefined ? {} : { Cmd: command }),
      ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
      ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    };
  }
  if (execution.uses !== 'code' || workspace.source === undefined) return {};
  const words =
    execution.code.language === 'python'
      ? ['python3', `${INSIDE.runners}/python.py`]
      : ['node', ...nodeFlags(execution, execution.limits), `${INSIDE.runners}/javascript.cjs`];
  return { Entrypoint: words, Cmd: [], WorkingDir: '/tmp' };
}

function binds(workspace: Workspace): string[] {
  const list = [`${workspace.input}:${INSIDE.input}:ro`, `${workspace.outputFolder}:${INSIDE.outputFolder}:rw`];
  if (workspace.source !== undefined) {
    list.push(`${workspace.source}:${insideSource(workspace.source)}:ro`, `${RUNNERS_FOLDER}:${INSIDE.runners}:ro`);
  }
  return list;
}

function insideSource(source: string): string {
  return `/lattice/task${source.slice(source.lastIndexOf('.'))}`;
}

function environment(execution: Execution, workspace: Workspace, token: string): string[] {
  const variables: Record<string, string> = {
    HOME: '/tmp',
    TMPDIR: '/tmp',
    ...(execution.uses === 'container' ? execution.container.env : { LANG: 'C.UTF-8', PYTHONUTF8: '1' }),
    ...execution.env,
    LATTICE_EXECUTION: execution.id,
    [OWNER_VARIABLE]: token,
    LATTICE_INPUT: INSIDE.input,
    LATTICE_OUTPUT: INSIDE.output,
  };
  if (workspace.source !== undefined) {
    Object.assign(variables, { LATTICE_FAULT: INSIDE.fault, LATTICE_SOURCE: insideSource(workspace.source) });
  }
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}
