import type { SandboxLevel } from '@lattice/contracts';
import type { Execution, Executors, GpuGrant, LabelSetter, LogChunk, Outcome } from '@lattice/executor';
import type { Scope } from '@lattice/expression';
import type { TaskDefinition } from '@lattice/flow';
import { appendEvent, type FlowRun } from '@lattice/queue';
import { filesToGive, openGranted } from '../artifacts/give-files';
import { savedArtifacts } from '../artifacts/saved-artifacts';
import { artifactKeeper } from '../artifacts/store-files';
import type { OutputAddress } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import type { Compiled } from '../run/plans';
import { prepare } from './execution';
import { LogWriter } from './log-writer';
import { throughCache } from './result-cache';
import { namesOfSecrets } from '../secrets/open-secrets';
import type { Mask } from '../secrets/mask';
import { watchSilence, type SilenceWatch } from './watch-silence';
import { maskLog, withSecrets } from './with-secrets';

/** What an attempt needs of the worker, or scheduler, that makes it. */
export interface AttemptContext {
  readonly runtime: Runtime;
  readonly workerId: string;
  /** Text that tells a repeated call from a second attempt: new each time, or always the same where steps may be repeated. */
  nonce(): string;
  /** The level at which a task will run here; undefined where none is used. */
  levelOf(task: TaskDefinition): SandboxLevel | undefined;
  /** Does the work of an attempt. Throws LatticeError when it can't begin. */
  perform(attempt: Attempt): Promise<Outcome | Waiting>;
}

/** One attempt of a task, begun. */
export interface Attempt {
  readonly run: FlowRun;
  readonly compiled: Compiled;
  readonly task: TaskDefinition;
  readonly attempt: number;
  /** What expressions of the task may name. */
  readonly scope: Scope;
  /** Tasks around the body that the run is of -> the runs they are of. */
  readonly around: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The attempt goes on later, without holding anybody meanwhile: its job is put aside for so long. */
export interface Waiting {
  readonly status: 'waiting';
  readonly ms: number;
}

/** Milliseconds between two progress events of an attempt. */
const PROGRESS_MS = 100;

/** Runs an attempt to its end. An abort of the signal stops the work; a run that is being stopped gives `cancelled`. */
export async function execute(
  context: {
    readonly runtime: Runtime;
    readonly executors: Pick<Executors, 'forTask'>;
    readonly gpus?: GpuGrant | undefined;
    readonly labels?: LabelSetter;
    /** The work is done by a worker at the other end of a connection: it gets no secrets. */
    readonly outside?: boolean;
  },
  attempt: Attempt,
): Promise<Outcome> {
  const { secrets } = attempt.task.references;
  const scope = secrets.size === 0 ? attempt.scope : { ...attempt.scope, secrets: namesOfSecrets(secrets) };
  const prepared = prepare(attempt.task, scope, context.runtime.settings);
  if (attempt.signal.aborted) return { status: 'cancelled' };
  return throughCache(context.runtime, attempt, prepared, () =>
    secrets.size === 0
      ? work(context, attempt, prepared)
      : withSecrets(context, attempt, (opened, mask) => work(context, attempt, opened, mask)),
  );
}

async function work(
  context: Parameters<typeof execute>[0],
  { run, task, attempt, signal }: Attempt,
  prepared: ReturnType<typeof prepare>,
  mask?: Mask,
): Promise<Outcome> {
  const address = { runId: run.runId, epoch: run.epoch, taskKey: task.key, attempt };
  let log: LogWriter | undefined;
  // A handler that can't be stopped may go on to speak of an attempt that has ended.
  let ended = false;
  let silence: SilenceWatch | undefined;
  const writeProgress = progressWriter(context.runtime, address);
  const toLog = (chunk: LogChunk): Promise<void> | undefined =>
    (log ??= new LogWriter(context.runtime, address)).write(chunk);
  const masked = mask && maskLog(mask, toLog);
  const handle = context.executors
    .forTask(task.handler === undefined ? task.uses : `handler/${task.handler}`, task.level)
    .submit({
      id: `${run.runId}.${run.epoch}.${task.key}.${attempt}`,
      attempt,
      ...prepared.program,
      env: prepared.env,
      ...(context.gpus === undefined ? {} : { gpus: context.gpus }),
      ...(context.labels === undefined ? {} : { labels: context.labels }),
      limits: prepared.limits,
      ...(prepared.files === undefined ? {} : { files: filesToGive(context.runtime, run.runId, prepared.files) }),
      ...(task.handler === undefined ? {} : handlerFiles(context, address)),
      ...(leavesFiles(task, context.outside)
        ? { artifacts: artifactKeeper(context.runtime, address, () => silence?.heard()) }
        : {}),
      onLog: (chunk) => {
        silence?.heard();
        if (!ended) return masked === undefined ? toLog(chunk) : masked.write(chunk);
        return undefined;
      },
      onProgress: (percent, text) => {
        silence?.heard();
        if (!ended) writeProgress(percent, text === undefined ? text : (mask?.text(text) ?? text));
      },
      onAlive: () => silence?.heard(),
    });
  if (handle.outcome !== undefined && log === undefined && masked === undefined) return handle.outcome;
  const stop = (): void => void handle.cancel(String(signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  if (task.heartbeatMs !== undefined)
    silence = watchSilence(task.heartbeatMs, () => void handle.cancel('heartbeat_timeout'));
  try {
    const outcome = await handle.result();
    ended = true;
    masked?.end();
    await lastOf(log);
    if (outcome.status === 'completed') return outcome;
    if (signal.aborted) return { status: 'cancelled' };
    return silence?.error === undefined ? outcome : { status: 'failed', error: silence.error };
  } finally {
    silence?.end();
    signal.removeEventListener('abort', stop);
  }
}

function leavesFiles({ uses, handler }: TaskDefinition, outside = false): boolean {
  if (handler !== undefined) return !outside;
  return uses === 'code' || uses === 'container' || uses === 'script';
}

/** Artifacts that a handler reads; of one outside, which reads and saves by requests of its own, those that it saved. */
function handlerFiles(
  { runtime, outside }: Parameters<typeof execute>[0],
  address: OutputAddress,
): Pick<Execution, 'openArtifact' | 'savedArtifacts'> {
  if (outside === true) return { savedArtifacts: (ids) => savedArtifacts(runtime, address, ids) };
  const { runId } = address;
  return { openArtifact: (id, signal) => openGranted(runtime, { runId, id, what: 'for a handler' }, signal) };
}

/** The log stands in the stream before the result does. */
async function lastOf(log: LogWriter | undefined): Promise<void> {
  await log?.flush();
}

/** Writes progress events of an attempt, not more often than every 100 ms. */
export function progressWriter(
  runtime: Runtime,
  address: { runId: string; epoch: number; taskKey: string; attempt: number },
): (percent: number, text?: string) => void {
  let last = 0;
  return (percent, text) => {
    const bounded = Math.min(100, Math.max(0, percent));
    // JSON has no NaN: null would be written.
    if (Number.isNaN(bounded)) return;
    const now = Date.now();
    if (now - last < PROGRESS_MS && percent < 100) return;
    last = now;
    const json = JSON.stringify(text === undefined ? { percent: bounded } : { percent: bounded, text });
    appendEvent(runtime.queue, { ...address, type: 'task.progress', json, at: now }).catch((error: unknown) =>
      runtime.log.warn({ err: error, ...address }, 'a progress event was lost'),
    );
  };
}
