import path from 'node:path';
import { LatticeError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { OWNER_VARIABLE } from '../owner';
import type { Execution, ExecutionLimits, ScriptProgram } from '../port';
import { scriptEnvironment, scriptWords } from '../script/script-words';
import { runnerWords } from '../subprocess/command';
import { shapeOf, type ScriptStart } from '../subprocess/launcher';
import { threadLimit } from '../subprocess/tools';
import type { Workspace } from '../workspace';
import type { ImageInfo } from './images';
import type { Runners } from './runners';
import { seccompProfile } from './seccomp-profile';

const EXECUTION_LABEL = 'lattice.execution';
/** The token of the execution, whose stamp says which worker process started it. */
export const OWNER_LABEL = 'lattice.owner';

const PROFILE = seccompProfile();

export interface CodeImages {
  node: string;
  python: string;
}

/** nobody. */
const NOBODY = 65_534;
const MEBIBYTE = 1024 * 1024;
const DEFAULT_TMP_BYTES = 512 * MEBIBYTE;
const DEFAULT_PROCESSES = 16;
const PERIOD_NANOSECONDS = 1_000_000_000;

const INSIDE = {
  given: '/lattice/given',
  outputFolder: '/lattice/output',
  artifacts: '/lattice/artifacts',
  runners: '/lattice/runners',
};

export function imageOf(execution: Execution, images: CodeImages): string {
  if (execution.uses === 'container') return execution.container.image;
  if (execution.uses === 'script') return imageOfScript(execution);
  return execution.uses === 'code' && execution.code.language === 'python' ? images.python : images.node;
}

function imageOfScript({ script }: ScriptProgram): string {
  if (script.image !== undefined) return script.image;
  throw new LatticeError('sandbox_failed', 'at level docker a script needs an image to run in: give with.image');
}

/** What to create, hardened: see the table of levels in the README. */
export function containerSpec(options: {
  execution: Execution;
  workspace: Workspace;
  token: string;
  image: string;
  info: ImageInfo;
  runners: Runners;
  /** It is to wait on stdin for its task, of which the execution has the shape only. */
  ahead: boolean;
  script?: ScriptStart | undefined;
  mounts?: Dockerode.MountSettings[] | undefined;
}): Dockerode.ContainerCreateOptions {
  const { execution, workspace, token, image, info, runners, ahead, script, mounts } = options;
  const own = ahead ? {} : taskVariables(execution, workspace, token);
  return {
    name: containerName(execution.id, token),
    Image: image,
    User: info.user ?? ownUser(),
    Env: variablesOf({
      ...baseVariables(execution),
      ...scriptEnvironment(script?.folder),
      [OWNER_VARIABLE]: token,
      ...own,
      ...visibleGpus(execution),
    }),
    Labels: { [EXECUTION_LABEL]: execution.id, [OWNER_LABEL]: token },
    ...(ahead ? { OpenStdin: true, StdinOnce: true, AttachStdin: true } : {}),
    AttachStdout: true,
    AttachStderr: true,
    ...program(execution, script),
    HostConfig: {
      ...limitsOf(execution.limits),
      ...devicesOf(execution),
      Binds: binds({ execution, workspace, runners, script }),
      ...(mounts === undefined || mounts.length === 0 ? {} : { Mounts: mounts }),
      Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${execution.limits.memoryBytes ?? DEFAULT_TMP_BYTES}` },
      NetworkMode: networkOf(execution),
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${PROFILE}`],
      // Reaps what the task leaves, and hands on SIGTERM, which a shell as process 1 would ignore.
      Init: true,
      IpcMode: 'private',
      // The log is read while it is written; the engine need not keep it too.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

/**
 * For images that would run as root. A worker that is not root could neither read all nor remove what another user than its own leaves in
 * the folders of the task; of its groups, which may include the engine's, the task has none.
 */
function ownUser(): string {
  return `${process.getuid?.() || NOBODY}:${NOBODY}`;
}

/** What `docker run --gpus` asks the engine for: the GPUs that were leased, by UUID, so that no others can be seen inside. */
function devicesOf({ gpus }: Execution): Dockerode.HostConfig {
  if (gpus === undefined || gpus.uuids.length === 0) return {};
  const request = { Driver: 'nvidia', DeviceIDs: [...gpus.uuids], Capabilities: [['gpu', 'compute', 'utility']] };
  return { DeviceRequests: [request] };
}

/**
 * Where NVIDIA's runtime is the engine's default one it gives a container what this variable of its environment asks for, all GPUs for many
 * images: so it comes last, whatever image and task say.
 */
function visibleGpus({ gpus }: Execution): Record<string, string> {
  const uuids = gpus?.uuids ?? [];
  return { NVIDIA_VISIBLE_DEVICES: uuids.length === 0 ? 'void' : uuids.join(',') };
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
    PidsLimit: threadLimit(processes ?? DEFAULT_PROCESSES),
    Ulimits: ulimits,
  };
}

function program(execution: Execution, script: ScriptStart | undefined): Dockerode.ContainerCreateOptions {
  if (execution.uses === 'container') {
    const { command, entrypoint, workdir } = execution.container;
    return {
      ...(command === undefined ? {} : { Cmd: command }),
      ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
      ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    };
  }
  if (script !== undefined) return { Entrypoint: scriptWords(script), Cmd: [], WorkingDir: script.folder };
  if (execution.uses !== 'code') return {};
  const shape = shapeOf(execution);
  const words = runnerWords(shape, shape.language === 'python' ? 'python3' : 'node', INSIDE.runners);
  return { Entrypoint: words, Cmd: [], WorkingDir: '/tmp' };
}

interface Mounted {
  execution: Execution;
  workspace: Workspace;
  runners: Runners;
  script: ScriptStart | undefined;
}

/** Code gets the two files that it hands over; other programs may want to make and rename files beside their output. */
function binds({ execution, workspace, runners, script }: Mounted): string[] {
  const given = `${workspace.given}:${INSIDE.given}:ro`;
  const artifacts = `${workspace.artifacts}:${INSIDE.artifacts}:rw`;
  const scripts = script === undefined ? [] : [`${script.folder}:${script.folder}:ro`];
  if (execution.uses !== 'code')
    return [given, artifacts, `${workspace.outputFolder}:${INSIDE.outputFolder}:rw`, ...scripts];
  return [
    given,
    artifacts,
    `${workspace.output}:${insideOutput(workspace.output)}:rw`,
    `${workspace.fault}:${insideOutput(workspace.fault)}:rw`,
    `${runners.folder()}:${INSIDE.runners}:ro`,
  ];
}

function networkOf(execution: Execution): string {
  if (execution.uses === 'container') return execution.container.network ?? 'none';
  if (execution.uses === 'script') return execution.script.network === true ? 'bridge' : 'none';
  return execution.uses === 'code' && execution.code.network === true ? 'bridge' : 'none';
}

function insideGiven(file: string): string {
  return `${INSIDE.given}/${path.basename(file)}`;
}

function insideOutput(file: string): string {
  return `${INSIDE.outputFolder}/${path.basename(file)}`;
}

function baseVariables(execution: Execution): Record<string, string> {
  return {
    HOME: '/tmp',
    TMPDIR: '/tmp',
    ...(execution.uses === 'container' ? execution.container.env : { LANG: 'C.UTF-8', PYTHONUTF8: '1' }),
  };
}

/** What the environment of a task has beyond that of any task. */
export function taskVariables(execution: Execution, workspace: Workspace, token: string): Record<string, string> {
  const variables: Record<string, string> = {
    ...execution.env,
    LATTICE_EXECUTION: execution.id,
    [OWNER_VARIABLE]: token,
    LATTICE_INPUT: insideGiven(workspace.input),
    LATTICE_OUTPUT: insideOutput(workspace.output),
    LATTICE_FILES: insideGiven(workspace.files),
    LATTICE_ARTIFACTS: INSIDE.artifacts,
  };
  if (execution.uses === 'code') {
    variables['LATTICE_FAULT'] = insideOutput(workspace.fault);
    variables['LATTICE_SOURCE'] = insideGiven(workspace.source);
  }
  return variables;
}

function variablesOf(variables: Record<string, string>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}
