import { createHash } from 'node:crypto';
import { parseSize, type LabelRule, type Resources } from '@lattice/contracts';
import { canonicalJson } from './fingerprint';
import type { Placement } from './placement';

/** What a task takes of a worker while it runs. CPU in cores, memory in bytes, GPUs in devices. */
export interface Need {
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly gpuMemory: number;
}

/** Tasks that any worker may treat alike: one BullMQ queue. */
export interface ResourceClass extends Placement {
  /** Also the name of the queue: `[a-z0-9._-]`. */
  readonly name: string;
  /** `control` is done by schedulers. */
  readonly uses: 'code' | 'container' | 'script' | 'http' | 'handler' | 'control';
  readonly handler?: string;
  readonly need: Need;
  readonly rules: Readonly<Record<string, LabelRule>>;
}

/** The class of all tasks that hold no worker: schedulers take them. */
export const CONTROL_CLASS: ResourceClass = {
  name: 'control',
  uses: 'control',
  need: { cpu: 0, memory: 0, gpu: 0, gpuMemory: 0 },
  rules: {},
};

/** Cores. A task that asks for no CPU takes a quarter of a core: most tasks wait for something most of the time. */
export const DEFAULT_CPU = 0.25;
const CPU_STEP = 0.25;

/** Rounds cores up to quarters, so that classes stay few. */
function cpuBucket(cpu: number): number {
  return Math.ceil(cpu / CPU_STEP) * CPU_STEP;
}

/** More than one GPU is whole ones; a share in thousandths. */
function gpuBucket(gpu: number): number {
  if (gpu === 0) return 0;
  return gpu > 1 ? Math.ceil(gpu) : Math.ceil(gpu * 1_000 - 1e-6) / 1_000;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * Rounds bytes up to a sixteenth of the power of two below: at most 6.25 % more than asked for. Whole GiB stay what they are: who asks
 * for nearly all of a machine, or of a GPU, must not be asked to have more than there is.
 */
function memoryBucket(bytes: number): number {
  if (bytes === 0) return 0;
  const step = Math.min(GIB, Math.max(MIB, 2 ** Math.floor(Math.log2(bytes)) / 16));
  return Math.ceil(bytes / step) * step;
}

/** The class of a task. Equal needs give equal names, whatever the order in which they are written. */
export function resourceClassOf(task: {
  uses: ResourceClass['uses'];
  handler?: string | undefined;
  resources: Resources;
  rules: Readonly<Record<string, LabelRule>>;
  placement?: Placement;
}): ResourceClass {
  const { uses, handler, resources, rules, placement = {} } = task;
  const usual = uses === 'handler' || uses === 'http' ? 0 : DEFAULT_CPU;
  const cpu = resources.cpu ?? usual;
  const need: Need = {
    cpu: cpuBucket(cpu),
    memory: memoryBucket(parseSize(resources.memory ?? 0) ?? 0),
    gpu: gpuBucket(resources.gpu ?? 0),
    gpuMemory: memoryBucket(parseSize(resources.gpuMemory ?? 0) ?? 0),
  };
  const name = [
    handler === undefined ? uses : `handler.${queueName(handler)}`,
    ...(need.cpu === usual ? [] : [`c${need.cpu}`]),
    ...(need.memory === 0 ? [] : [`m${Math.round(need.memory / 2 ** 20)}`]),
    ...(need.gpu === 0 ? [] : [`g${need.gpu}`]),
    ...(need.gpuMemory === 0 ? [] : [`v${Math.round(need.gpuMemory / 2 ** 20)}`]),
    ...(Object.keys(rules).length === 0 ? [] : [`l${shortHash(canonicalJson(rules))}`]),
    ...(placement.prefer === undefined ? [] : [`p${shortHash(canonicalJson(placement.prefer))}`]),
    ...(placement.place === undefined ? [] : [placement.place]),
    ...(placement.batch === undefined ? [] : [`b${placement.batch.size}-${placement.batch.timeoutMs}`]),
  ].join('.');
  const common = { need, rules, ...placement };
  return handler === undefined ? { name, uses, ...common } : { name, uses, handler, ...common };
}

function queueName(text: string): string {
  const lower = text.toLowerCase();
  return lower === text ? text : `${lower}-${shortHash(text)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
